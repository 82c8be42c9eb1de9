"""`npm run dist:wheel` and `npm run test:wheel`: the Python package, and its proof."""
