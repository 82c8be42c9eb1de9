"""`npm run bench`: what the app costs, against plain mlx_lm on the same machine."""
