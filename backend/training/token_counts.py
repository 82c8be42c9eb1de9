"""Ask a child how many tokens each row has, once per file and model."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import OrderedDict
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import NamedTemporaryFile

from backend.catalog.checked import CheckedFile
from backend.catalog.schemas import ModelInfo
from backend.core.blas import engine_environment
from backend.core.process import run_child
from backend.core.removal import named, remove
from backend.errors import BadContent, EngineTimeout, FieldProblem
from backend.settings import CHECKOUT, Settings
from backend.training.prepare import DataPlan, engine_rows, usable_as_it_is

# Larger files take too long for a preview; the run itself counts those.
MOST_BYTES = 20_000_000
MOST_CHARACTERS = 20_000_000
DEADLINE = 60.0

_HELD = 16
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """Per training row: its tokens, and where its loss begins: of rows that answers are sampled to,
    the prompt alone, twice. `valid` has the tokens of each validation row, if they were counted.
    """

    lengths: tuple[int, ...]
    starts: tuple[int, ...]
    valid: tuple[int, ...] = ()

    @property
    def total(self) -> int:
        return sum(self.lengths)

    @property
    def longest(self) -> int:
        return max(self.lengths)

    def over(self, limit: int) -> int:
        """Rows that are cut at `limit` tokens."""
        return sum(length > limit for length in self.lengths)

    def learned(self, limit: int) -> tuple[int, ...]:
        """The lengths of the rows that have something left to learn after the cut."""
        pairs = zip(self.lengths, self.starts, strict=True)
        return tuple(length for length, start in pairs if start < limit)

    def without_target(self, limit: int) -> int:
        """Rows of which nothing is left to learn after the cut: the engine's loss is then NaN."""
        return sum(start >= limit for start in self.starts)


class TokenCounter:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._held: OrderedDict[object, TokenCounts] = OrderedDict()

    async def count(
        self, model: ModelInfo, data: DataPlan, *, mask: bool, valid: bool = False
    ) -> TokenCounts | None:
        """Of the rows that are trained on, and with `valid` of those that are validated on; None
        where that takes too long.

        Raises BadContent when the model's chat template refuses the rows: so would the run.
        """
        files = [(data.train, "train_data_path")]
        files += [(data.valid, "val_data_path")] if valid and data.valid else []
        found = await asyncio.gather(
            *(self._counted(model, file, mask, field) for file, field in files)
        )
        counts = found[0]
        if counts is None:
            return None
        if not data.held_out:
            beside = found[1].lengths if len(found) > 1 and found[1] else ()
            return replace(counts, valid=beside)
        kept = [row for row in range(len(counts.lengths)) if row not in data.held_out]
        return TokenCounts(
            tuple(counts.lengths[row] for row in kept),
            tuple(counts.starts[row] for row in kept),
            tuple(counts.lengths[row] for row in sorted(data.held_out)),
        )

    async def _counted(
        self, model: ModelInfo, file: CheckedFile, mask: bool, field: str
    ) -> TokenCounts | None:
        if file.stamp[0] > MOST_BYTES or file.characters > MOST_CHARACTERS:
            return None
        key = (model.path, file.path, file.stamp, file.needs, mask)
        counts = self._held.get(key)
        if counts is None:
            counts = await self._ask(model, file, mask, field)
            if counts is None:
                return None
            self._held[key] = counts
            while len(self._held) > _HELD:
                self._held.popitem(last=False)
        return counts

    async def _ask(
        self, model: ModelInfo, file: CheckedFile, mask: bool, field: str
    ) -> TokenCounts | None:
        if usable_as_it_is(file):
            return await self._count(model, file, file.path, mask, field)
        rows = await asyncio.to_thread(_written, file)
        try:
            return await self._count(model, file, rows, mask, field)
        finally:
            await asyncio.to_thread(_remove, rows)

    async def _count(
        self, model: ModelInfo, file: CheckedFile, rows: Path, mask: bool, field: str
    ) -> TokenCounts | None:
        asked = {"model": model.path, "path": str(rows), "mask": mask, "needs": file.needs}
        try:
            child = await run_child(
                [str(self._settings.python), "-m", "backend.engines.inspect_data"],
                cwd=CHECKOUT,
                env=await asyncio.to_thread(engine_environment, self._settings),
                deadline=DEADLINE,
                stdin_json=asked,
            )
        except EngineTimeout as problem:
            _logger.warning("The tokens were not counted: %s", problem)
            return None
        if child.exit_code != 0:
            _logger.warning("The tokens were not counted: %s", child.stderr[-500:])
            return None
        answer = json.loads(child.stdout)
        if "error" in answer:
            text = f"The rows of {file.path.name} can't be turned into tokens with the "
            text += f"template of {model.name}: {answer['error']}"
            raise BadContent(text, errors=[FieldProblem(field, text)])
        return TokenCounts(tuple(answer["lengths"]), tuple(answer["starts"]))


def _remove(rows: Path) -> None:
    remove(rows, inside=rows.parent, own=named(r"rows-.+\.jsonl"))


def _written(checked: CheckedFile) -> Path:
    """The rows as the engine would get them, in a file that the caller removes."""
    with NamedTemporaryFile(prefix="rows-", suffix=".jsonl", delete=False) as file:
        path = Path(file.name)
        try:
            file.writelines(engine_rows(checked))
        except BaseException:
            _remove(path)
            raise
    return path
