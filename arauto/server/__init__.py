"""gunicorn: hooks, checks before it listens, state shared with the workers."""
