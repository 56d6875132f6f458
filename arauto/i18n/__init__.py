"""Words for people: gettext, and the words of the page's script."""
