"""Settings of the simulated master."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, model_validator


class SimulatorSettings(BaseModel):
    """The simulated TWS master."""

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=31116, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    tls: bool = Field(default=False, description="HTTPS with a certificate that is made at each start.")
    ca_file: Path | None = Field(default=None, description="With TLS: where that certificate is written.")
    data_dir: Path | None = Field(
        default=None, description="Folder of the journal; without it nothing is kept."
    )
    scenario: str = Field(
        default="night", description="Name of a plan in tws/simulator/plans, or a YAML file."
    )
    jobs: int | None = Field(
        default=None, ge=1, le=200_000, description="Makes a plan of about so many jobs."
    )
    seed: int = Field(default=20, description="Chooses the plan; the same seed gives the same night.")
    speed: float = Field(default=1.0, gt=0, description="Simulated seconds in a real one, for good.")
    apply_delay: tuple[float, float] = Field(
        default=(1.0, 3.0),
        description="From and to: simulated seconds between the answer to an action and its effect in the plan.",
    )
    outage: float = Field(
        default=20.0, ge=0, description="Simulated seconds without service between two plans."
    )
    overflow: Literal["reject", "first"] = Field(
        default="reject",
        description="An action on more objects than max_object_affected is refused, or meets the first ones.",
    )
    rights: dict[str, frozenset[str]] = Field(
        default={}, description="Users who may do less than their role, with what they may, e.g. JOB.RERUN."
    )

    @model_validator(mode="after")
    def _is_consistent(self) -> SimulatorSettings:
        if not 0 <= self.apply_delay[0] <= self.apply_delay[1]:
            raise ValueError("apply_delay must be two numbers of at least 0, the smaller one first")
        if self.tls and self.ca_file is None:
            raise ValueError("with tls a ca_file is needed, for clients to trust it")
        return self
