"""The command arauto."""
