"""Reads a file without holding up the process: small texts in a thread, all else in a process that can be stopped.

As a program (`python -m knowledge.reading`) it is that process: a line of JSON and the file in, JSON out.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from contextlib import suppress
from pathlib import Path

from pydantic import TypeAdapter

from .errors import DocumentRejectedError
from .parse import Parsed, is_binary, parse

_SMALL_TEXT = 100_000
"""Bytes that a thread reads in less time than a process takes to start."""
_MAX_MEMORY = 2 * 1024**3
"""Bytes of addresses the reading process may use."""
_PARSED = TypeAdapter(Parsed)


async def read(
    name: str, data: bytes, media_type: str | None, *, max_bytes: int, max_seconds: float
) -> Parsed:
    """As `parse`; also raises `DocumentRejectedError` for what takes longer, or more memory than there is for it."""
    if len(data) <= _SMALL_TEXT and not is_binary(name, data):
        return await asyncio.to_thread(parse, name, data, media_type=media_type, max_bytes=max_bytes)
    if len(data) > max_bytes:
        raise DocumentRejectedError(f"larger than {max_bytes} bytes")
    order = json.dumps({"name": name, "media_type": media_type, "max_bytes": max_bytes}).encode()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__),
        cwd=Path(__file__).parents[1],
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(max_seconds):
            output, _ = await process.communicate(order + b"\n" + data)
    except TimeoutError as error:
        raise DocumentRejectedError(f"takes longer than {max_seconds:.0f} seconds to read") from error
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    if process.returncode:
        raise DocumentRejectedError("reading it fails, or takes too much memory")
    return await asyncio.to_thread(_answered, output)


def _answered(output: bytes) -> Parsed:
    reason, _, parsed = output.partition(b"\n")
    if reason:
        raise DocumentRejectedError(reason.decode())
    return _PARSED.validate_json(parsed)


def _main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY, _MAX_MEMORY))
    order = json.loads(sys.stdin.buffer.readline())
    try:
        parsed = parse(data=sys.stdin.buffer.read(), **order)
    except DocumentRejectedError as error:
        sys.stdout.write(" ".join(str(error).split()))
    else:
        sys.stdout.buffer.write(b"\n" + _PARSED.dump_json(parsed))


if __name__ == "__main__":
    _main()
