#!/usr/bin/env bash
# Set up what is missing or out of date, then run a module of this project if one is named:
#   scripts/setup.sh [--dev | --cuda] [--no-ui] [-- module argument ...]
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/python.sh
. scripts/python.sh

unset PYTHONDONTWRITEBYTECODE # Many containers set it: every process would compile all it imports.

options=""
while [ $# -gt 0 ] && [ "$1" != "--" ]; do
  options="$options $1"
  shift
done
python="$(find_python)"
# Options are plain words without blanks, so splitting them is what is meant.
# shellcheck disable=SC2086
"$python" -m scripts.setup $options
if [ $# -gt 1 ]; then
  shift
  exec .venv/bin/python -m "$@"
fi
