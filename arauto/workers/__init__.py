"""State that the worker processes share: limits, rates, which are stopping."""
