"""Pure functions on text: globs, origins, UTF-8, trimming."""
