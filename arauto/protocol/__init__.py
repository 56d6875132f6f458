"""Types that sources and feeds exchange: selections, events, positions and entries of a log. No I/O."""
