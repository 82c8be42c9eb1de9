# Sourced by the commands below the checkout's root; bash 3.2 is enough.
# shellcheck shell=bash

# Print a Python that can run this project: its own environment's, else one found on PATH.
find_python() {
  local check candidate
  check='import platform, sys
fits = (3, 11) <= sys.version_info[:2] < (3, 15)
intel = sys.platform == "darwin" and platform.machine() != "arm64"
sys.exit(not fits or intel)'
  # Each is run, not only looked up: a version manager puts names on PATH that do nothing.
  for candidate in .venv/bin/python python3.12 python3.13 python3.11 python3.14 python3; do
    if "$candidate" -c "$check" >/dev/null 2>&1; then
      printf '%s\n' "$candidate"
      return 0
    fi
  done
  printf '%s\n' \
    'Python 3.11, 3.12, 3.13 or 3.14 is needed (on a Mac the arm64 one), and none was found on PATH.' \
    'Install one, for example with "brew install python@3.12" or "apt install python3 python3-venv", and try again.' >&2
  return 1
}
