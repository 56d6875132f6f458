"""Arauto: a live web window on Redis Pub/Sub."""

__version__ = "0.1.0"
