"""`npm test` and its parts: one table of steps, run one after the other."""
