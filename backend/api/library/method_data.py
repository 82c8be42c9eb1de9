"""Data files for training methods: is this one right, and make me one to try."""

from __future__ import annotations

from fastapi import APIRouter

from backend.api.errors import TELLS_SUCCESS
from backend.api.refusals import refuses
from backend.api.services import Wired
from backend.data.schemas import MethodDataReport
from backend.training.request.method_schemas import (
    SampleDataAnswer,
    SampleDataRequest,
    ValidateDataRequest,
)

router = APIRouter(prefix="/api/training", tags=[TELLS_SUCCESS])


@router.post("/validate-data", responses=refuses(404, 504))
async def validate_data(body: ValidateDataRequest, services: Wired) -> MethodDataReport:
    """Every line is checked; what is wrong with lines is in the answer, which then is not valid."""
    return await services.method_files.validate(body)


@router.post("/generate-sample-data", responses=refuses(404, 409, 507))
async def generate_sample_data(body: SampleDataRequest, services: Wired) -> SampleDataAnswer:
    """A new file that passes the validation for its method; an existing one is refused."""
    return await services.method_files.generate(body)
