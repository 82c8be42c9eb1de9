"""The desktop package: what is put into it, what it says is missing, and which Node packs it."""

from __future__ import annotations

import json
import os
import plistlib
from pathlib import Path

import pytest

from scripts.desktop.node import NEEDED, node_for_packaging, version_of
from scripts.desktop.pack import ELECTRON, fill_service, notes


def test_the_service_is_the_wheel_its_lock_and_an_installer(tmp_path: Path) -> None:
    wheel = tmp_path / "droid_finetuning-1.0-py3-none-any.whl"
    wheel.write_bytes(b"wheel")
    folder = tmp_path / "service"
    folder.mkdir()
    (folder / "left-over").touch()

    fill_service(wheel, folder=folder)

    assert sorted(path.name for path in folder.iterdir()) == [wheel.name, "requirements.lock", "uv"]
    assert os.access(folder / "uv", os.X_OK)


@pytest.mark.parametrize(
    ("text", "version"),
    [("v22.12.0", (22, 12)), ("v20.20.2\n", (20, 20)), ("x", (0, 0)), (None, (0, 0))],
)
def test_the_version_of_a_node(text: str | None, version: tuple[int, int]) -> None:
    assert version_of(text) == version


def test_a_node_that_is_new_enough_is_used(tmp_path: Path) -> None:
    node = tmp_path / "node"
    node.write_text(f"#!/bin/sh\necho v{NEEDED[0]}.{NEEDED[1]}.1\n")
    node.chmod(0o755)
    assert node_for_packaging({"PATH": str(tmp_path)}) == node


def test_a_stand_in_is_named_as_one() -> None:
    (note,) = notes({}, unpacked=True, stub=True)
    assert "the program can't run" in note


@pytest.mark.parametrize(
    ("platform", "environ", "expected"),
    [
        ("linux", {}, ["GitHub", "DROID_HOMEPAGE"]),
        ("linux", {"DROID_HOMEPAGE": "https://x.invalid"}, ["GitHub"]),
        ("darwin", {}, ["not signed", "not notarised: APPLE_API_KEY, APPLE_API_KEY_ID"]),
        ("darwin", {"CSC_NAME": "me", "APPLE_API_KEY": "1", "APPLE_API_KEY_ID": "2",
                    "APPLE_API_ISSUER": "3"}, []),
    ],
)  # fmt: skip
def test_what_a_package_lacks_is_said_before_it_is_made(
    monkeypatch: pytest.MonkeyPatch, platform: str, environ: dict[str, str], expected: list[str]
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    lines = list(notes(environ, unpacked=False, stub=False))
    assert len(lines) == len(expected)
    assert all(text in line for text, line in zip(expected, lines, strict=True))


def test_a_mac_package_is_hardened_and_asks_for_no_more_than_a_compiler() -> None:
    mac = json.loads((ELECTRON / "electron-builder.json").read_text())["mac"]
    assert mac["hardenedRuntime"] is True
    assert mac["notarize"] is True
    rights = plistlib.loads((ELECTRON / mac["entitlements"]).read_bytes())
    assert rights == {"com.apple.security.cs.allow-jit": True}
