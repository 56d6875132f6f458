"""Kafka: its address, calls with deadlines outside gevent's loop, topics and their messages."""
