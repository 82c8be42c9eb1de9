"""Build the small demo model and its data, so that a first run needs no download."""
