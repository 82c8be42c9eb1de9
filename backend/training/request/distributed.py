"""Several processes that train one model together, as a request asks for them."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from backend.contract.run.config import Backend
from backend.core.disk.paths import PastedPath

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
