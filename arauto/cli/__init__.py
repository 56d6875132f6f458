"""The command ``arauto``."""
