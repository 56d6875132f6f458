"""From a source to one browser's WebSocket."""
