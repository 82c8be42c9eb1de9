"""The memory estimates, of both tabs, against measured peaks."""
