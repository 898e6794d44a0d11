"""The configured engines by name."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from observability.metrics import Metrics

from .client import TwsClient
from .settings import TwsSettings
from .transport import open_session
from .v1 import connect


class Engines:
    """Clients by the names that Resync gives their engines."""

    def __init__(self, clients: Mapping[str, TwsClient], *, default: str) -> None:
        """`default` is one of the names. Raises KeyError."""
        self._clients = dict(clients)
        self.default = self._clients[default]
        """The engine that is meant where none is named."""

    @property
    def names(self) -> tuple[str, ...]:
        """All names, as configured."""
        return tuple(self._clients)

    def get(self, name: str) -> TwsClient:
        """The engine of that name. Raises KeyError."""
        return self._clients[name]


@asynccontextmanager
async def open_engines(settings: Sequence[TwsSettings], metrics: Metrics) -> AsyncIterator[Engines]:
    """The engines, of which the first is the default; their sessions end with the context. Names are unique."""
    async with AsyncExitStack() as stack:
        clients = {}
        for one in settings:
            session = await stack.enter_async_context(open_session(one))
            clients[one.name] = await connect(one, session, metrics)
        yield Engines(clients, default=settings[0].name)
