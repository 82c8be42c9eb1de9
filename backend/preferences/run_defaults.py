"""Defaults for new runs: the fields of every method for which the user may choose another default.

Only the forms begin with them; a start over the API has the defaults of the API, which scripts
rely on.
"""

from __future__ import annotations

import copy
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic.fields import FieldInfo

from backend.training.request.common_fields import CommonFields

NAMES = (
    "lora_rank", "lora_alpha", "batch_size", "grad_accumulation_steps", "optimizer", "early_stop",
    "patience", "save_every", "keep_checkpoints", "grad_checkpoint", "seed",
    "auto_continue",
)  # fmt: skip


class _Chosen(BaseModel):
    """Fields that the forms of new runs begin with; null and absent: the form's own default."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


def _optional(field: FieldInfo) -> tuple[Any, FieldInfo]:
    """The same field with the same limits, which may be left out."""
    optional = copy.copy(field)
    optional.default = None
    optional.json_schema_extra = None
    return field.annotation | None, optional  # type: ignore[operator]


_FIELDS: dict[str, Any] = {name: _optional(CommonFields.model_fields[name]) for name in NAMES}
RunDefaults = create_model("RunDefaults", __base__=_Chosen, __module__=__name__, **_FIELDS)


def valid_defaults(values: Any) -> dict[str, Any]:
    """Those of the saved fields that the form still has and takes."""
    valid = {}
    for name, value in values.items():
        try:
            RunDefaults.model_validate({name: value})
        except ValidationError:
            continue
        if value is not None:
            valid[name] = value
    return valid
