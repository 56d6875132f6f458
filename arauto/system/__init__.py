"""The process and its machine: locks under gevent and threads, timers, files, limits."""
