"""gunicorn: its hooks, checks at start, forking and request timeouts."""
