"""Translations: gettext, and the strings of the page's scripts."""
