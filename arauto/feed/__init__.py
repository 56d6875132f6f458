"""One browser's session: from the subscriber to its WebSocket."""
