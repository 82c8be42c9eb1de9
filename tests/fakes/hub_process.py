"""`python -m tests.fakes.hub_process REPO FOLDER`: a hub with one data set, for the browser tests.

Its card is `card.json` of the folder, its files are the others. Prints its address, and ends when
its stdin does.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.fakes.hub import FakeHub, running_hub


def main() -> None:
    repo, folder = sys.argv[1], Path(sys.argv[2])
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != "card.json"]
    files = {str(path.relative_to(folder)): path.read_bytes() for path in paths}
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    with running_hub(FakeHub(files, repo=repo, repo_type="dataset", card=card)) as hub:
        sys.stdout.write(f"{hub.url}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
