"""Redis: connections, RESP, the subscriber thread, the channel list, discovery, the embedded Valkey."""
