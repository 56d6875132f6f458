"""The interface of a source of messages, and Redis as one."""
