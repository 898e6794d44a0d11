"""Request bodies and queries, read within their limits and validated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeVar

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError
from pydantic import BaseModel, ValidationError

from bots.intake import read_body
from bots.problems import ProblemError

ModelT = TypeVar("ModelT", bound=BaseModel)

_MAX_JSON = 65_536
"""Bytes; the longest message fits in, even with every character escaped."""
_FORM_OVERHEAD = 16_384
"""Bytes that part headers and boundaries may add to an upload."""


_MAX_FIELD = 4096
"""Bytes of a field beside the file."""
_MAX_FIELDS = 20


class UploadedFile(NamedTuple):
    """A file of a form."""

    name: str
    """Without a path: neither a browser's nor another client's may reach a file system."""
    data: bytes
    media_type: str | None
    fields: Mapping[str, str]
    """The form's other fields; what was sent several times is parted by commas."""


async def read_json(request: web.Request, model: type[ModelT]) -> ModelT:
    """The JSON body as a model; raises `ProblemError` 400, 413, 415 or 422."""
    if request.content_type != "application/json":
        raise ProblemError(415, "unsupported_media_type", "Send the body as application/json.")
    raw = await read_body(request, _MAX_JSON)
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        if error.errors(include_url=False)[0]["type"] == "json_invalid":
            raise ProblemError(400, "malformed_json", "The body is not JSON.") from None
        raise _refused(error) from None


def read_query(request: web.Request, model: type[ModelT]) -> ModelT:
    """What stands behind the `?` as a model; raises `ProblemError` 422."""
    try:
        return model.model_validate(dict(request.query))
    except ValidationError as error:
        raise _refused(error) from None


async def read_file(request: web.Request, field: str, *, max_bytes: int) -> UploadedFile:
    """The one file of a multipart form; raises `ProblemError` 400, 413, 415 or 422."""
    if request.content_type != "multipart/form-data":
        raise ProblemError(415, "unsupported_media_type", "Send the document as multipart/form-data.")
    if (request.content_length or 0) > max_bytes + _FORM_OVERHEAD:
        raise _too_large(max_bytes)
    file: UploadedFile | None = None
    fields: dict[str, str] = {}
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or part.name is None:
                continue
            if part.name == field and part.filename:
                media_type = part.headers.get("Content-Type", "").partition(";")[0].strip().lower()
                name = part.filename.replace("\\", "/").rpartition("/")[2].replace("\x00", "")[:255]
                data = await _read_part(part, max_bytes)
                file = UploadedFile(name or "document", data, media_type or None, fields)
            elif len(fields) < _MAX_FIELDS:
                value = (await _read_part(part, _MAX_FIELD)).decode()
                fields[part.name] = f"{fields[part.name]},{value}" if part.name in fields else value
    except (ValueError, HttpProcessingError) as error:
        raise ProblemError(400, "malformed_form", "The form cannot be read.") from error
    if file is None:
        raise _invalid((field, "a file is required"))
    return file


async def _read_part(part: BodyPartReader, max_bytes: int) -> bytes:
    data = bytearray()
    while piece := await part.read_chunk():
        data += piece
        if len(data) > max_bytes:
            raise _too_large(max_bytes)
    return bytes(data)


def _too_large(max_bytes: int) -> ProblemError:
    return ProblemError(413, "too_large", f"The body may have at most {max_bytes} bytes.")


def _refused(error: ValidationError) -> ProblemError:
    details = error.errors(include_url=False, include_context=False, include_input=False)
    return _invalid(*((".".join(map(str, item["loc"])) or "body", item["msg"]) for item in details))


def _invalid(*faults: tuple[str, str]) -> ProblemError:
    """Each with the dotted path of the field, `body` for the whole, and what is wrong with it."""
    errors = [{"field": field, "message": message} for field, message in faults]
    return ProblemError(422, "invalid", "; ".join(map(": ".join, faults)), errors=errors)
