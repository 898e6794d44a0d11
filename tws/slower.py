"""Which job streams took longer than before, and what in them did. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from tws.mirror.past import Effort

_FACTOR = 1.1
"""Less is the usual up and down."""
_LEAST = timedelta(seconds=30)
"""Of growth that anybody would notice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowerJob:
    """A job of both spans."""

    before: Effort
    now: Effort

    @property
    def growth(self) -> timedelta:
        """How much longer it ran; negative where it ran less."""
        return self.now.busy - self.before.busy


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowerStream:
    """A job stream that took longer from its first start to its last end."""

    selection: str
    before: timedelta
    now: timedelta
    jobs: tuple[SlowerJob, ...]
    """Those that ran longer, the most first."""

    @property
    def growth(self) -> timedelta:
        """How much longer it took."""
        return self.now - self.before

    @property
    def waited(self) -> timedelta:
        """What of the growth is not explained by jobs that ran longer: they began later."""
        return max(timedelta(), self.growth - sum((job.growth for job in self.jobs), timedelta()))


def slower_streams(before: Iterable[Effort], now: Iterable[Effort]) -> tuple[SlowerStream, ...]:
    """The streams of both spans that grew by a tenth and half a minute at least, the most first."""
    then, lately = _by_stream(before), _by_stream(now)
    grown = (_compare(name, then[name], lately[name]) for name in then.keys() & lately.keys())
    slower = [one for one in grown if one.growth >= _LEAST and one.now >= _FACTOR * one.before]
    return tuple(sorted(slower, key=lambda one: (-one.growth, one.selection)))


def _by_stream(efforts: Iterable[Effort]) -> Mapping[str, dict[str, Effort]]:
    streams: defaultdict[str, dict[str, Effort]] = defaultdict(dict)
    for effort in efforts:
        streams[effort.selection.rpartition(".")[0]][effort.selection] = effort
    return streams


def _compare(name: str, before: Mapping[str, Effort], now: Mapping[str, Effort]) -> SlowerStream:
    jobs = [SlowerJob(before=before[job], now=now[job]) for job in before.keys() & now.keys()]
    return SlowerStream(
        selection=name,
        before=_length(before.values()),
        now=_length(now.values()),
        jobs=tuple(sorted((job for job in jobs if job.growth > timedelta()), key=lambda job: -job.growth)),
    )


def _length(efforts: Iterable[Effort]) -> timedelta:
    every = list(efforts)
    return max(one.ended_at for one in every) - min(one.started_at for one in every)
