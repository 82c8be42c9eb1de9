"""A scripted inference worker: what it does stands in the prompt it is asked.

`die` ends it as a crash would, `die PATH` only if the file is there, which it takes away,
`die-late` after a first word, `hang` answers only once it is taken back, `refuse CODE` refuses,
`wait PATH` answers when the file is there, `flood N` answers N words. Anything else is given back
word by word, with the adapter's name in front. It imports nothing of the project.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

requests: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
cancelled: set[int] = set()
loaded: dict[str, Any] = {"base": None, "adapter": None}


def listen() -> None:
    for line in sys.stdin:
        request = json.loads(line)
        if request["op"] == "cancel":
            cancelled.add(request["id"])
        else:
            requests.put(request)
    os._exit(0)


def send(number: int, kind: str, **fields: Any) -> None:
    sys.stdout.write(json.dumps({"id": number, "type": kind, **fields}) + "\n")
    sys.stdout.flush()


def stats(words: int) -> dict[str, Any]:
    return {
        "prompt_tokens": 3, "completion_tokens": words, "cached_tokens": 0,
        "first_token_seconds": 0.01, "tokens_per_second": 100.0, "finish_reason": "stop",
        "model_load_seconds": 0.0, "swap_seconds": 0.0,
    }  # fmt: skip


def end(words: int) -> dict[str, Any]:
    return {"stats": stats(words), "chat_template_used": True, "max_tokens": 100}


def _taken(path: str) -> bool:
    if path and not Path(path).exists():
        return False
    if path:
        Path(path).unlink()
    return True


def generate(request: dict[str, Any]) -> None:
    number = request["id"]
    messages = request["question"].get("messages")
    prompt = request["question"].get("prompt") or (messages[-1]["content"] if messages else "")
    order, _, rest = prompt.partition(" ")
    if order == "die-late":
        send(number, "token", text="A")
    if order == "die-late" or (order == "die" and _taken(rest)):
        os.kill(os.getpid(), signal.SIGKILL)
    if order == "refuse":
        send(number, "error", code=rest, message=f"It is {rest}.", hint="Do this.", status=loaded)
        return
    while order == "hang" or (order == "wait" and not Path(rest).exists()):
        if number in cancelled:
            send(number, "error", code="cancelled", message="Taken back.", status=loaded)
            return
        time.sleep(0.005)
    if order == "flood":
        words = ["word "] * int(rest)
    else:
        name = request["adapter"]["name"] if request.get("adapter") else "base"
        words = [f"{name}:", *(f" {word}" for word in prompt.split(" "))]
    for word in words:
        if number in cancelled:
            send(number, "error", code="cancelled", message="Taken back.", status=loaded)
            return
        send(number, "token", text=word)
    send(number, "done", **end(len(words)), status=loaded)


def together(request: dict[str, Any]) -> None:
    names = [spec["name"] if spec else "base" for spec in request["adapters"]]
    prompt = request["question"]["prompt"]
    if prompt == "apart":
        refusal = {"code": "not_together", "message": "tuned is not plain", "hint": None}
        send(request["id"], "error", **refusal, status=loaded)
        return
    for word in prompt.split(" "):
        for row, name in enumerate(names):
            send(request["id"], "token", row=row, text=f"{name}:{word} ")
    for row in range(len(names)):
        send(request["id"], "answer", index=row, end=end(2))
    send(request["id"], "done", status=loaded)


def batch(request: dict[str, Any]) -> None:
    for index, item in reversed(list(enumerate(request["prompts"]))):
        text = f"re: {item['question']['prompt']}"
        send(request["id"], "answer", index=index, text=text, end=end(2))
    send(request["id"], "done", status=loaded)


def score(request: dict[str, Any]) -> None:
    rows = [
        {"loss": 2.0, "tokens": 4, "correct": 1, "truncated": False, "problem": None}
        for _ in request["rows"]
    ]
    send(request["id"], "progress", phase="scoring", done=len(rows), total=len(rows))
    sums = {"loss": 2.0 * len(rows), "tokens": 4 * len(rows), "correct": len(rows)}
    send(request["id"], "done", rows=rows, **sums, status=loaded)


def main() -> None:
    threading.Thread(target=listen, daemon=True).start()
    send(0, "ready", pid=os.getpid())
    while (request := requests.get()) is not None:
        if loaded["base"] != request["model"]:
            send(request["id"], "progress", phase="loading", done=0, total=1)
            loaded["base"] = request["model"]
        adapter = request.get("adapter")
        loaded["adapter"] = adapter["name"] if adapter else None
        ops = {"generate": generate, "batch": batch, "score": score, "together": together}
        ops[request["op"]](request)


if __name__ == "__main__":
    main()
