# The server of Resync. Both stages start from the same Python, since the environment names its path.
FROM python:3.13-slim AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ONLY_BINARY=:all: PIP_REQUIRE_HASHES=1
WORKDIR /source

COPY requirements-dev.lock ./
RUN python -m venv /build && /build/bin/pip install --no-deps --requirement requirements-dev.lock

COPY requirements.lock ./
RUN python -m venv /resync && /resync/bin/pip install --no-deps --requirement requirements.lock

COPY . .
RUN PIP_REQUIRE_HASHES=0 /build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheel . \
    && PIP_REQUIRE_HASHES=0 /resync/bin/pip install --no-deps /wheel/resync-*.whl

FROM python:3.13-slim

RUN useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin resync
COPY --from=build /resync /resync
ENV PATH=/resync/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001
WORKDIR /
EXPOSE 8080
ENTRYPOINT ["resync"]
CMD ["serve"]
