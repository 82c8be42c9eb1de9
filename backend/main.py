"""The app object for tools that want one by name; all settings come from the environment."""

from __future__ import annotations

from backend.app import create_app
from backend.settings import read_settings

app = create_app(read_settings())
