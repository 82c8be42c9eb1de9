"""The start request of the standard tab: supervised fine-tuning (SFT)."""

from __future__ import annotations

from typing import Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from backend.contract.run.config import Backend
from backend.core.disk.paths import PastedPath
from backend.training.request.form_hints import form, only
from backend.training.request.method import Method
from backend.training.request.methods_table import METHODS
from backend.training.request.start_request import StartRequest

Reporter = Literal["wandb", "swanlab", "wandb,swanlab"]
MOST_PROCESSES = 64


class DistributedTraining(BaseModel):
    """`processes` on this machine, or those of a host file, through MLX's own launcher."""

    model_config = ConfigDict(extra="forbid", strict=True)

    processes: int | None = Field(
        None,
        ge=2,
        le=MOST_PROCESSES,
        title="Processes",
        description="So many on this machine, each with a copy of the model.",
    )
    hostfile: PastedPath | None = Field(
        None,
        min_length=1,
        title="Host file",
        description="The machines as mlx.launch reads them; this one is the first.",
    )
    backend: Backend = Field(
        "ring",
        title="Backend",
        description="Of a host file: ring over any network, mpi with an installed MPI, jaccl over "
        "Thunderbolt 5.",
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.processes is None) == (self.hostfile is None):
            raise ValueError("give either processes, for this machine, or a hostfile")
        if self.processes is not None and self.backend != "ring":
            raise ValueError(
                f"processes of this machine meet over ring; {self.backend} needs a hostfile"
            )
        return self


class StandardStart(StartRequest):
    """POST /training/start. What only supervised fine-tuning has stands here."""

    epsilon: float | None = Field(
        None,
        gt=0,
        title="Epsilon",
        description="adam and adamw: keeps small gradients from being blown up.",
        json_schema_extra=only("adam", "adamw"),
    )
    epsilon_squares: float | None = Field(
        None,
        gt=0,
        title="Epsilon of squares",
        description="adafactor: added to every squared gradient; 1e-30 by default.",
        json_schema_extra=only("adafactor"),
    )
    epsilon_scale: float | None = Field(
        None,
        gt=0,
        title="Smallest weight scale",
        description="adafactor with Scale by weights: weights near zero, as an adapter's at first, "
        "count as this; 1e-3 by default.",
        json_schema_extra=only("adafactor", scale_parameter=[True]),
    )
    test: bool = Field(
        False,
        title="Test at the end",
        description="Measure the loss on test.jsonl when training is done.",
        json_schema_extra=form("data", level="advanced"),
    )
    report_to: Reporter | None = Field(
        None,
        title="Report to",
        description="Send the curves to Weights & Biases or SwanLab too. Needs their package and a "
        "login on this machine.",
        json_schema_extra=form("parameters", level="advanced"),
    )
    project_name: str = Field(
        "",
        max_length=200,
        title="Project name",
        description="Under which the reports are filed.",
        json_schema_extra=form(
            "parameters", level="advanced", when={"report_to": list(get_args(Reporter))}
        ),
    )
    distributed: DistributedTraining | None = Field(
        None,
        title="Several processes",
        description="Train one model in several processes at once, on this machine or on several: "
        "each has its rows of every batch.",
        json_schema_extra=form("ranks", level="advanced"),
    )

    @property
    def method(self) -> Method:
        return METHODS["sft"]
