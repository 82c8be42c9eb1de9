#!/usr/bin/env bash
# Write the locks anew from pyproject.toml, with hashes and without addresses.
# Needs a network. Pins that still fit are kept; give --upgrade to look for newer ones.
set -euo pipefail
cd "$(dirname "$0")/.."

lock() {
  local target="$1"
  shift
  .venv/bin/uv pip compile "$@" -o "$target" --universal --generate-hashes \
    --no-emit-index-url --no-emit-find-links --no-header --quiet
  printf 'wrote %s\n' "$target"
}

lock locks/requirements-setup.lock --group setup "$@"
lock locks/requirements.lock pyproject.toml --extra cpu "$@"
lock locks/requirements-dev.lock pyproject.toml --extra cpu --group dev "$@"
# Node for the packager of the desktop app (docs/desktop.md).
lock locks/requirements-packaging.lock --group packaging "$@"
lock locks/requirements-cuda.lock pyproject.toml --extra cuda "$@"
# What comes on top of dev's packages. Torch's CPU build for Linux must lie where pip finds it; uv
# knows no hash of a local file, so pip's (`pip hash`) is added by hand.
UV_FIND_LINKS="${PIP_FIND_LINKS:-}" lock locks/requirements-exports.lock --group exports --no-deps "$@"
