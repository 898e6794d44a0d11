"""Whether the plan shows a change: pure. The wording of an outcome comes from here, never from a model.

Facts are written as conman selects by them (`state=HOLD pri=0`), so they read the same in every language.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

from brain.message import Locale
from brain.phrases import say
from tws.actions import SWITCHES, VALUES, Action, Change, ObjectKind, PlanObject
from tws.objects import Job, JobStream, Prompt, Resource, Workstation

_REPLIES = {Action.REPLY_YES: "ANSWERED_YES", Action.REPLY_NO: "ANSWERED_NO"}
_WAITING = frozenset({"ADD", "HOLD", "SCHED", "WAIT", "WAITD"})
_UNSTARTED = _WAITING | {"READY", "FENCE", "CANCL", "CANCLP"}
_GOOD, _BAD = frozenset({"SUCC", "SUCCP"}), frozenset({"ABEND", "ABENP", "FAIL"})
_BY_ITSELF = frozenset({"RECOVERY", "RECOVERY_RERUN", "RERUN_EVERY"})
"""Types of runs that the engine begins without being asked."""

_Owner: TypeAlias = Job | JobStream
_Verdict: TypeAlias = bool | None
"""Whether the plan shows what was asked for (True), something that rules it out (False), or neither yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What the plan says about a change that was asked for."""

    state: Literal["confirmed", "different", "pending"]
    expected: str
    seen: str

    def describe(self, selection: str, locale: Locale) -> str:
        """The sentence for people."""
        key = {"confirmed": "seen_confirmed", "different": "seen_different", "pending": "seen_nothing"}
        return say(locale, key[self.state], object=selection, expected=self.expected, seen=self.seen)


def observe(change: Change, before: PlanObject | None, now: PlanObject) -> Observation:
    """Compares the object as it is with what the change should have made of it.

    `before` is the object that the change was approved for; None for a submission, where `now` is what it made.
    """
    verdict, expected = _verdict(change, before, now)
    state: Literal["confirmed", "different", "pending"] = (
        "pending" if verdict is None else "confirmed" if verdict else "different"
    )
    return Observation(state=state, expected=expected, seen=facts(now))


def facts(target: PlanObject) -> str:
    """What can be seen of the object, e.g. `state=HOLD pri=0`."""
    return " ".join(f"{name}={value}" for name, value in _facts(target).items() if value is not None)


def _facts(target: PlanObject) -> dict[str, object]:
    match target:
        case Job() | JobStream():
            found = {"state": "CANCL" if target.canceled else target.status, "pri": target.priority}
            if target.is_cancel_pending:
                found["cancel"] = "pending"
            if isinstance(target, JobStream):
                return {**found, "limit": target.limit}
            return {**found, "run": target.last_run.attempt if target.last_run else None}
        case Workstation():
            switches = {"link": target.is_linked, "start": target.is_running}
            shown = {name: "yes" if is_on else "no" for name, is_on in switches.items()}
            return {**shown, "limit": target.limit, "fence": target.fence}
        case Prompt():
            return {"state": target.status}
        case Resource():
            return {"quantity": target.quantity, "available": target.available}


def seen_as(change: Change) -> ObjectKind:
    """The kind of object that shows the change: of a submission, what it put into the plan."""
    made = {
        ObjectKind.JOB_DEFINITION: ObjectKind.JOB,
        ObjectKind.JOB_STREAM_DEFINITION: ObjectKind.JOB_STREAM,
    }
    return made.get(change.kind, change.kind)


def _verdict(change: Change, before: PlanObject | None, now: PlanObject) -> tuple[_Verdict, str]:
    action = change.action
    if action in VALUES:
        return _value(change, before, now)
    if action in SWITCHES:
        field, wanted = SWITCHES[action]
        shown = f"{'link' if field == 'is_linked' else 'start'}={'yes' if wanted else 'no'}"
        return getattr(now, field) == wanted or None, shown
    if action in _REPLIES:
        status = cast("Prompt", now).status
        is_other = status in _REPLIES.values() and status != _REPLIES[action]
        return False if is_other else (status == _REPLIES[action] or None), f"state={_REPLIES[action]}"
    check, expected = _CHECKS[action]
    return check(change, cast("_Owner", before), cast("_Owner", now)), expected


def _value(change: Change, before: PlanObject | None, now: PlanObject) -> tuple[_Verdict, str]:
    field = VALUES[change.action]
    wanted, seen = change.arguments[field], getattr(now, field)
    expected = f"{'pri' if field == 'priority' else field}={wanted}"
    if seen == wanted:
        return True, expected
    is_over = isinstance(now, Job) and now.status not in _UNSTARTED
    return (None if seen == getattr(before, field, seen) and not is_over else False), expected


def _rerun(_change: Change, before: _Owner, now: _Owner) -> _Verdict:
    assert isinstance(before, Job)
    assert isinstance(now, Job)
    known = {run.id for run in before.runs}
    attempt = before.last_run.attempt if before.last_run else 0
    if any(
        run.id not in known and run.attempt > attempt and run.rerun_type not in _BY_ITSELF for run in now.runs
    ):
        return True
    return False if now.canceled and not before.canceled else None


def _hold(_change: Change, _before: _Owner, now: _Owner) -> _Verdict:
    if now.priority == 0:
        return True
    is_too_late = now.status not in _UNSTARTED if isinstance(now, Job) else now.status in {"SUCC", "ABEND"}
    return False if now.canceled or is_too_late else None


def _release(_change: Change, before: _Owner, now: _Owner) -> _Verdict:
    if now.canceled:
        return False
    if before.priority == 0 or (before.status in _WAITING and now.status not in _WAITING):
        return now.priority > 0 or None
    return (now.priority > 0 and _is_kept(before) and not _is_kept(now)) or None


def _is_kept(owner: _Owner) -> bool:
    """Whether something of its own keeps the object back; a job may wait with its job stream besides."""
    is_early = owner.starts_after is not None and not owner.is_start_satisfied
    return is_early or any(not item.satisfied for item in owner.dependencies)


def _release_dependencies(_change: Change, _before: _Owner, now: _Owner) -> _Verdict:
    return False if now.canceled else all(item.satisfied for item in now.dependencies) or None


def _cancel(_change: Change, _before: _Owner, now: _Owner) -> _Verdict:
    return now.canceled or None


def _cancel_pending(_change: Change, _before: _Owner, now: _Owner) -> _Verdict:
    if now.canceled or now.is_cancel_pending:
        return True
    return None if now.status in _UNSTARTED else False


def _kill(_change: Change, before: _Owner, now: _Owner) -> _Verdict:
    """Of the run that was to be killed: a recovery may have begun another."""
    assert isinstance(before, Job)
    assert isinstance(now, Job)
    killed = before.last_run.id if before.last_run else ""
    status = next((run.status for run in now.runs if run.id == killed), "")
    return _ended_as(status, _BAD - {"ABENP"}, _GOOD - {"SUCCP"})


def _confirm_succ(_change: Change, before: _Owner, now: _Owner) -> _Verdict:
    return _ended_as(now.status, _GOOD, _BAD - {before.status})


def _confirm_abend(_change: Change, _before: _Owner, now: _Owner) -> _Verdict:
    return _ended_as(now.status, _BAD, _GOOD)


def _ended_as(status: str, wanted: frozenset[str], other: frozenset[str]) -> _Verdict:
    return True if status in wanted else False if status in other else None


def _submit(change: Change, _before: _Owner, now: _Owner) -> _Verdict:
    """The engine named what it made: it is in the plan, and is of this definition."""
    name = str(change.arguments.get("alias") or change.selection.rpartition("#")[2].rpartition("/")[2])
    return now.definition_id == change.object_id or now.name == name


_CHECKS: Mapping[Action, tuple[Callable[[Change, _Owner, _Owner], _Verdict], str]] = {
    Action.RERUN: (_rerun, "run+1"),
    Action.HOLD: (_hold, "pri=0"),
    Action.RELEASE: (_release, "pri>0 deps=0"),
    Action.RELEASE_DEPENDENCIES: (_release_dependencies, "deps=0"),
    Action.CANCEL: (_cancel, "state=CANCL"),
    Action.CANCEL_PENDING: (_cancel_pending, "cancel=pending"),
    Action.KILL: (_kill, "state=ABEND"),
    Action.CONFIRM_SUCC: (_confirm_succ, "state=SUCC"),
    Action.CONFIRM_ABEND: (_confirm_abend, "state=ABEND"),
    Action.SUBMIT: (_submit, "a new instance"),
}
"""The check of each other action, and what it wants to see."""
