"""The filter of messages, as docs/filter.md specifies it and as the page applies it (pure)."""
