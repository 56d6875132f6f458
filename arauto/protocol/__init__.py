"""What is said on the wire: channels and patterns of a feed, events to a browser. No I/O."""
