"""The bridge between Redis's channels and Kafka's topics: one process of all moves messages on."""
