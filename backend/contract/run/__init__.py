"""A training run between server and engine: its configuration, events, files and saved states."""
