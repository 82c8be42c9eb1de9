"""`python -m backend.cli`: the command `droid-finetuning` of a checkout."""

import sys

from backend.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
