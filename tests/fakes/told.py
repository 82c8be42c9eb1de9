"""A stand-in for an engine: writes what it was started with as one JSON line, then does as told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

seen = {
    "argv": sys.argv[1:],
    "cwd": str(Path.cwd()),
    "env": dict(os.environ),
    "main": sys.modules["__main__"].__name__,
    "pid": os.getpid(),
    "session": os.getsid(0),
}
sys.stderr.write("an error\n")
told = sys.argv[1]
if told == "family":
    wait = [sys.executable, "-c", "import time; time.sleep(60)"]
    away = subprocess.Popen(wait, start_new_session=True)
    seen["away"] = away.pid
if told == "stdin":
    seen["stdin"] = sys.stdin.read()
sys.stdout.write(json.dumps(seen) + "\n")
sys.stdout.flush()
if told == "family":
    time.sleep(60)
if told == "echo":
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(line.upper())
        sys.stdout.buffer.flush()
sys.exit(3)
