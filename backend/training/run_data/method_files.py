"""Data files as a training method sees them: checked line by line, and made as samples."""

from __future__ import annotations

import asyncio
import difflib

from backend.data.readers.data_file import data_file
from backend.data.schemas import MethodDataReport
from backend.data.tasks.client import do_task
from backend.data.write.atomic_output import refuse_existing, target_path
from backend.data.write.sample_files import write_samples
from backend.errors import AppError, FieldProblem, Invalid
from backend.settings import Settings
from backend.training.request.method import Method
from backend.training.request.method_schemas import (
    SampleDataAnswer,
    SampleDataRequest,
    ValidateDataRequest,
)
from backend.training.request.methods_table import METHODS


class MethodFiles:
    def __init__(self, settings: Settings) -> None:
        self._folder = settings.datasets_dir

    async def validate(self, request: ValidateDataRequest) -> MethodDataReport:
        """Reads to the end, however large: in a child process unless it is small. Raises NotFound
        or BadContent when there is no such file; what is wrong with its lines is in the answer.
        """
        method = _method(request.method)
        try:
            path = await asyncio.to_thread(data_file, request.data_path)
            size = path.stat().st_size
        except AppError as refusal:
            refusal.errors = (FieldProblem("data_path", refusal.detail),)
            raise
        options = {"path": path, "needs": method.data_form}
        return await do_task("check", options, MethodDataReport, size=size)

    async def generate(self, request: SampleDataRequest) -> SampleDataAnswer:
        """Raises AlreadyExists, NotFound (no such folder) or Invalid; nothing is overwritten."""
        method = _method(request.method)
        try:
            path = await asyncio.to_thread(target_path, request.output_path, self._folder)
            await asyncio.to_thread(refuse_existing, path, overwrite=False)
        except AppError as refusal:
            refusal.errors = (FieldProblem("output_path", refusal.detail),)
            raise
        count = await asyncio.to_thread(
            write_samples, path, method.data_form, request.num_samples, seed=request.seed
        )
        return SampleDataAnswer(
            message=f"Wrote {count} rows for {method.display_name} to {path.name}.",
            output_path=str(path),
            method=method.id,
            sample_count=count,
        )


def _method(name: str) -> Method:
    method = METHODS.get(name)
    if method is not None:
        return method
    near = difflib.get_close_matches(name, METHODS, n=1, cutoff=0.5)
    suggestion = f"did you mean {near[0]}?" if near else f"there are {', '.join(METHODS)}."
    text = f"There is no training method {name[:80]!r}; {suggestion}"
    raise Invalid(text, errors=[FieldProblem("method", text)])
