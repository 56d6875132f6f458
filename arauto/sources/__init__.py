"""Where messages come from: the interface, and Redis behind it."""
