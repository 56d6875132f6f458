"""Redis: connections, RESP, the subscriber thread, channel list, the embedded Valkey."""
