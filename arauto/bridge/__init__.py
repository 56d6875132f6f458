"""The bridge between Redis's channels and Kafka's topics: one process at a time passes messages on."""
