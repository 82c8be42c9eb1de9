"""Tools around the app: set up, start, check, measure. Nothing in backend/ imports them."""
