"""What is said at a start of how its rows are read, written and left out."""

from __future__ import annotations

from backend.data.checks.checked_file import CheckedFile
from backend.data.rows.formats import Format
from backend.jobs.run.recipe import StartFix, StartWarning
from backend.training.request.sft_fields import StandardStart

NOT_VALIDATED = (
    "val_split is 0 and no validation file is given: nothing is validated, so there is no best "
    "adapter and no early stop. The last step's adapter is saved."
)
_FOREIGN = 40  # Letters of a system prompt that are shown.
_NAMES: dict[Format, str] = {
    "grpo": "prompt/answer", "alpaca": "alpaca", "sharegpt": "sharegpt",
}  # fmt: skip


def spellings(*files: CheckedFile | None) -> list[StartWarning]:
    """How rows of another spelling are understood, each file once."""
    files_by_path = {checked.path: checked for checked in files if checked is not None}
    return [
        StartWarning(f"{path.name}: {reading}", code="spelling", level="info")
        for path, checked in files_by_path.items()
        for reading in checked.readings
    ]


def foreign_validation(train: CheckedFile, valid: CheckedFile) -> list[StartWarning]:
    """Why a validation file may not belong to the training file: form, folder, system prompt."""
    doubts = []
    if valid.form != train.form:
        doubts.append(f"its rows are {valid.form}, not {train.form}")
    if valid.path.parent != train.path.parent:
        doubts.append(f"it is in another folder ({valid.path.parent})")
    if valid.system != train.system:
        doubts.append(f"its system prompt is {_quoted(valid.system)}, not {_quoted(train.system)}")
    if not doubts:
        return []
    text = (
        f"The validation file {valid.path.name} may not belong to {train.path.name}: "
        f"{'; '.join(doubts)}. The best weights are chosen by it. Without it, rows of the training "
        "file are held out."
    )
    hold_out = StartFix("Hold rows out instead", "val_data_path", "")
    return [StartWarning(text, code="foreign_validation", fix=hold_out)]


def _quoted(system: str | None) -> str:
    if system is None:
        return "none"
    words = " ".join(system.split())
    return f"“{words[:_FOREIGN]}…”" if len(words) > _FOREIGN else f"“{words}”"


def remarks(
    train: CheckedFile, request: StandardStart, chat_template: bool | None
) -> list[StartWarning]:
    """What a fine-tuning run does with rows that it does not take as they are written."""
    warnings = []
    if train.form != train.given:
        text = (
            f"The {_NAMES[train.form]} rows are turned into conversations for this run; "
            f"{train.path.name} stays as it is."
        )
        warnings.append(StartWarning(text, code="turned_into_chat", level="info"))
    if train.unlearned and not request.mask_prompt:
        text = (
            f"{train.unlearned} rows have answers of the weight 0, which are left out only with "
            "training on answers only; this run learns them too."
        )
        answers_only = StartFix("Train on answers only", "mask_prompt", True)
        warnings.append(StartWarning(text, code="weight_zero", fix=answers_only))
    if train.labelled_text and chat_template:
        text = (
            "The text rows spell out roles such as “User:”. They are trained as they are, without "
            "the model's chat template, so chats with the model will look different to it. Rows "
            "with messages avoid that."
        )
        warnings.append(StartWarning(text, code="labelled_text"))
    return warnings
