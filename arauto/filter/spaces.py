"""Spaces in JavaScript's regular expressions, which differ from Python's."""

SPACES = r"\t-\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
"""For use within ``[]``."""
