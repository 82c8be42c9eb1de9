"""`python -m droid_finetuning`."""

import sys
from importlib import import_module

sys.exit(import_module("droid_finetuning").main())
