"""Request bodies, read within their limits and validated."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError
from pydantic import BaseModel, ValidationError

from bots.intake import read_body
from bots.problems import ProblemError

__all__ = ["UploadedFile", "read_file", "read_json"]

ModelT = TypeVar("ModelT", bound=BaseModel)

_MAX_JSON = 65_536
"""Bytes; the longest message fits in, even with every character escaped."""
_FORM_OVERHEAD = 16_384
"""Bytes that part headers and boundaries may add to an upload."""


class UploadedFile(NamedTuple):
    """A file of a form."""

    name: str
    """Without a path: neither a browser's nor another client's may reach a file system."""
    data: bytes
    media_type: str | None


async def read_json(request: web.Request, model: type[ModelT]) -> ModelT:
    """The JSON body as a model; raises `ProblemError` 400, 413, 415 or 422."""
    if request.content_type != "application/json":
        raise ProblemError(415, "unsupported_media_type", "Send the body as application/json.")
    raw = await read_body(request, _MAX_JSON)
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
    if details[0]["type"] == "json_invalid":
        raise ProblemError(400, "malformed_json", "The body is not JSON.")
    raise _invalid(*((".".join(map(str, item["loc"])) or "body", item["msg"]) for item in details))


async def read_file(request: web.Request, field: str, *, max_bytes: int) -> UploadedFile:
    """The one file of a multipart form; raises `ProblemError` 400, 413, 415 or 422."""
    if request.content_type != "multipart/form-data":
        raise ProblemError(415, "unsupported_media_type", "Send the document as multipart/form-data.")
    if (request.content_length or 0) > max_bytes + _FORM_OVERHEAD:
        raise _too_large(max_bytes)
    try:
        async for part in await request.multipart():
            if isinstance(part, BodyPartReader) and part.name == field and part.filename:
                return await _read_part(part, part.filename, max_bytes)
    except (ValueError, HttpProcessingError) as error:
        raise ProblemError(400, "malformed_form", "The form cannot be read.") from error
    raise _invalid((field, "a file is required"))


async def _read_part(part: BodyPartReader, filename: str, max_bytes: int) -> UploadedFile:
    data = bytearray()
    while piece := await part.read_chunk():
        data += piece
        if len(data) > max_bytes:
            raise _too_large(max_bytes)
    media_type = part.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    name = filename.replace("\\", "/").rpartition("/")[2].replace("\x00", "")[:255]
    return UploadedFile(name or "document", bytes(data), media_type or None)


def _too_large(max_bytes: int) -> ProblemError:
    return ProblemError(413, "too_large", f"The body may have at most {max_bytes} bytes.")


def _invalid(*faults: tuple[str, str]) -> ProblemError:
    """Each with the dotted path of the field, `body` for the whole, and what is wrong with it."""
    errors = [{"field": field, "message": message} for field, message in faults]
    return ProblemError(422, "invalid", "; ".join(map(": ".join, faults)), errors=errors)
