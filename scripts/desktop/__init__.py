"""`npm run dist` and `npm run dist:dir`: the desktop app as packages of this platform."""
