"""Follow training from a script: one line for each thing that happens, with no gap.

    python examples/listen.py                          # the service on this machine
    python examples/listen.py --url ws://host:8000/ws --token TOKEN
    python examples/listen.py --until-end              # leave with the run: 0 if it completed

Needs the package `websockets`, which the service brings along (`.venv/bin/python`).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

Frame = dict[str, Any]
ENDS = {"training_completed": 0, "training_stopped": 1, "training_error": 1}


def line_of(frame: Frame) -> str | None:
    """What a frame says, in one line; None for those that say nothing new."""
    data = frame["data"]
    match frame["type"]:
        case "training_state":
            return f"The service is {data['state']}."
        case "training_started":
            return f"{data['method']} started: {data['session_id']}"
        case "training_progress":
            point = data.get("point")
            if point is None:
                return None
            values = point["values"]
            names = ("train_loss", "val_loss", "avg_reward", "tokens_per_second")
            shown = [f"{name} {values[name]:.4g}" for name in names if values.get(name) is not None]
            return f"step {values['step']:.0f}: {', '.join(shown)}"
        case "best_model_updated":
            return f"step {data['step']}: best so far"
        case "checkpoint_saved":
            return f"step {data['step']}: saved {data['path']}"
        case "training_sample":
            return f"step {data['step']}: {data['prompt']!r} -> {data['text']!r}"
        case "training_alert":
            return f"{data['level']}: {data['message']}"
        case "training_completed" | "training_stopped":
            return str(data["message"])
        case "training_error":
            return f"error: {data['error']}"
        case _:
            return None


async def follow(url: str, token: str | None, *, until_end: bool) -> int:
    """Print what happens until the run ends or the user leaves. After a lost connection it asks
    for what it missed; the service then repeats it, or sends a new snapshot.
    """
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    place = ""
    while True:
        try:
            async with connect(url + place, additional_headers=headers, max_size=None) as socket:
                async for text in socket:
                    frame = json.loads(text)
                    place = f"?since={frame['seq']}&epoch={frame['epoch']}"
                    line = line_of(frame)
                    if line is not None:
                        sys.stdout.write(line + "\n")
                        sys.stdout.flush()
                    if until_end and frame["type"] in ENDS:
                        return ENDS[frame["type"]]
        except InvalidStatus as refusal:
            sys.stderr.write(f"The service refused: {refusal}\n")
            return 2
        except (OSError, ConnectionClosed):
            pass
        await asyncio.sleep(1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--url", default="ws://127.0.0.1:8000/ws")
    parser.add_argument("--token", help="where the service asks for one")
    parser.add_argument("--until-end", action="store_true", help="leave when the run has ended")
    args = parser.parse_args()
    try:
        return asyncio.run(follow(args.url, args.token, until_end=args.until_end))
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
