"""Import the model classes of mlx_lm without its tokenizers, in a process that needs no more.

`import mlx_lm` brings transformers, which takes three quarters of the time until a model is built.
Only for a process that ends afterwards: what is left out is missing in all of it.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec, module_from_spec
from types import ModuleType

_PACKAGE = "mlx_lm"
# Were made with the classes of one or the other.
_OWN = ("backend.engines.modules.tree", "backend.engines.weights.base")
# What `mlx_lm.utils` imports by name and no model class calls.
_LEFT_OUT = {
    "mlx_lm.tokenizer_utils": ("TokenizerWrapper", "load"),
    "huggingface_hub": ("snapshot_download",),
}


def without_tokenizers() -> None:
    """Put an empty package in the place of mlx_lm, whose modules can be imported one by one."""
    spec = find_spec(_PACKAGE)
    if spec is None or _PACKAGE in sys.modules:
        return
    package = module_from_spec(spec)  # Not executed.
    sys.modules[_PACKAGE] = package
    for name, attributes in _LEFT_OUT.items():
        if name not in sys.modules:
            empty = ModuleType(name)
            for attribute in attributes:
                setattr(empty, attribute, None)
            sys.modules[name] = empty


def whole_mlx_lm() -> None:
    """Forget what was imported so, so that the next import is the whole one."""
    for name in list(sys.modules):
        if name in _LEFT_OUT or name in _OWN or name.partition(".")[0] == _PACKAGE:
            del sys.modules[name]
