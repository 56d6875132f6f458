"""Arauto: a live web window on Redis Pub/Sub."""

__version__ = "0.2.0"
