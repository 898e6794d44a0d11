"""Bodies of requests as the vendor's document has them, as far as this simulator heeds them; all else is ignored.

Fields are named as the arguments of orders; their aliases are the vendor's names.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from . import refusals

_B = TypeVar("_B", bound=BaseModel)
_Priority = Annotated[int, Field(ge=0, le=101)]
_Units = Annotated[int, Field(ge=0, le=1024)]
_Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,39}$")]
_YEARS = Field(ge=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(2100, 1, 1, tzinfo=UTC))
_Time = Annotated[AwareDatetime, _YEARS, AfterValidator(lambda time: time.astimezone(UTC))]


class _Body(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True)

    def arguments(self, *names: str) -> dict[str, Any]:
        """What was given of these fields, without names of all, as the arguments of an order."""
        return self.model_dump(mode="json", exclude_defaults=True, include=set(names) or None)


class Answer(_Body):
    """`PromptInPlanAnswer`."""

    answer: bool


class Conditions(_Body):
    """`ConditionsV2`."""

    conditions: tuple[str, ...] = ()


class _Dependency(_Body):
    id: str


class Dependencies(_Body):
    """`DependenciesInfoV2`: only ids count."""

    dependencies: tuple[_Dependency, ...] = ()


class Patch(_Body):
    """The fields of a merge patch that an operator may change."""

    priority: _Priority | None = None
    limit: _Units | None = None
    fence: _Priority | None = None
    quantity: _Units | None = None


class _Successors(_Body):
    depth: int = Field(default=0, ge=0)
    ids: tuple[str, ...] = Field(default=(), alias="successorsIds")


class Rerun(_Body):
    """`RerunDetailsV2`; this engine knows no other time and no other user for a rerun."""

    priority: _Priority | None = None
    from_step: str = Field(default="", alias="stepName")
    at: None = Field(default=None, alias="startTime")
    login: Literal[""] = Field(default="", alias="userLogin")
    successors: _Successors = Field(default=_Successors(), alias="successorsInfo")


class Submission(_Body):
    """`SubmitJobOptionsV2` and `SubmitJobStreamOptionsV2`."""

    alias: _Name | None = None
    at: _Time | None = Field(default=None, alias="inputArrivalTime")
    priority: _Priority | None = None
    job_stream_id: str | None = Field(default=None, alias="jobStreamId")


class Task(Submission):
    """`SubmitAdHocJobOptionsV2`; the name is not in the vendor's document, but was seen to be taken."""

    task: dict[str, Any]
    name: _Name | None = Field(default=None, alias="jobName")
    workstation_id: str = Field(default="", alias="workstationId")
    workstation_key: str = Field(default="", alias="workstationKey")


def parsed(form: type[_B], content: bytes) -> _B:
    """What the text says. Raises 400."""
    try:
        return form.model_validate_json(content)
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, problem["loc"])) or "the body"
        raise refusals.wrong(f"{where}: {problem['msg']}") from None
