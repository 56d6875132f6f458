"""Scripts and styles as they are sent: joined, minified, packed."""
