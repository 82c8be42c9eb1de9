"""One run in one process and in two."""
