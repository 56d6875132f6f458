"""The wire protocol: selections, pushes, events. No I/O."""
