"""What the worker processes share: limits, rates, who is about to stop."""
