"""Exports of a 0.5B-sized model against plain `mlx_lm fuse`."""
