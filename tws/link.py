"""What all accounts share that talk to one engine."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import aiohttp

from observability.breaker import Breaker
from observability.metrics import Metrics

from .bulkhead import Bulkhead
from .errors import TwsError, TwsHeldBackError, TwsUnreachableError
from .settings import TwsSettings


class Link:
    """The engine's hosts, and how it is spared; one for each engine in a process."""

    def __init__(self, settings: TwsSettings, session: aiohttp.ClientSession, metrics: Metrics) -> None:
        self.settings = settings
        self.session = session
        self.metrics = metrics
        self._urls = settings.urls
        self.bulkhead = Bulkhead(
            settings.url,
            running=settings.max_concurrent,
            waiting=settings.max_waiting,
            wait_seconds=settings.read_timeout.total_seconds(),
        )
        self.breaker = Breaker(
            is_outage=_is_outage,
            held_back=lambda wait: TwsHeldBackError(
                settings.url, f"it was away; asked again in {wait:.0f} s"
            ),
            failures=settings.breaker_failures,
            pause_seconds=settings.breaker_pause.total_seconds(),
            report=lambda state: metrics.tws_breaker(engine=settings.name, state=state),
        )
        self.clock_skew: timedelta | None = None
        """How far the engine's clock is ahead of ours, to the second, at the last answer; None before any."""

    @property
    def urls(self) -> tuple[str, ...]:
        """The addresses of the engine, the one that answered last first."""
        return self._urls

    def prefer(self, url: str) -> None:
        """That address answered."""
        at = self._urls.index(url)
        self._urls = self._urls[at:] + self._urls[:at]

    def note_clock(self, response: aiohttp.ClientResponse) -> None:
        """Compares the time of an answer with ours."""
        told = read_date(response.headers.get("Date", ""))
        if told is not None:
            skew = (told - datetime.now(UTC)).total_seconds()
            # The header has whole seconds, so that it is half a second late on average.
            self.clock_skew = timedelta(seconds=round(skew + 0.5))


def _is_outage(error: BaseException) -> bool | None:
    return isinstance(error, TwsUnreachableError) if isinstance(error, TwsError) else None


def read_date(text: str) -> datetime | None:
    """The time in a header; None for what is none."""
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date if date.tzinfo else None
