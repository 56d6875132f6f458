"""The process and its machine: concurrency, timers, file limits, paths."""
