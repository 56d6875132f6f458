"""The scripts and styles: bundled, minified, compressed and served."""
