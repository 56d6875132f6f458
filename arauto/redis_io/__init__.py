"""Redis: connections, RESP, the subscriber thread, the channel list, the embedded Valkey."""
