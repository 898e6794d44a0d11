"""What other senders call an alert, as canonical ones; pure. The mappings are `formats.yaml`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from typing import Any, Literal, TypeAlias

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter

from brain.incidents.alerts import Report
from brain.message import delivery_digest

from .inbound import MalformedAlertError, read_json, to_report

Format: TypeAlias = Literal["tws", "bmevents", "alertmanager", "servicenow", "cloudevents", "eif", "json"]
Paths: TypeAlias = Mapping[str, Sequence[str]]

MOST_ALERTS = 5000
"""In one request."""

_SELECTION = re.compile(r"(?<![\w#])([A-Za-z][\w/-]*)#([A-Za-z][\w-]*)\.([A-Za-z][\w-]*)")
_EIF_SLOT = re.compile(r"""\s*(?P<name>[\w.]+)\s*=\s*(?P<value>'(?:[^']|'')*'|"[^"]*"|[^;]*)\s*;""")
_EIF_EVENT = re.compile(r"(?P<name>[A-Za-z_]\w*)\s*;(?P<slots>.*?)\bEND\b", re.DOTALL)


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")

    each: str = ""
    fields: Paths = {}
    identity: Sequence[str] = ()
    texts: Sequence[str] = ()


_DATA = yaml.safe_load(resources.files(__package__).joinpath("formats.yaml").read_bytes())
_EVENTS: Mapping[str, str] = {str(number): name for number, name in _DATA.pop("events").items()}
_FORMS = TypeAdapter(dict[Format, _Form]).validate_python(_DATA)


def read_reports(
    form: Format, payload: bytes, *, mapping: Paths, each: str = "", signed_at: str
) -> tuple[Report, ...]:
    """The alerts in the payload, at least one and at most 5,000. `mapping` is the source's own, for the form `json`.

    Raises `MalformedAlertError`.
    """
    known = _FORMS[form]
    if mapping or each:
        known = known.model_copy(update={"fields": {**known.fields, **mapping}, "each": each or known.each})
    records = list(_records(form, known.each, payload))
    if not records:
        raise MalformedAlertError("the body has no alert")
    if len(records) > MOST_ALERTS:
        raise MalformedAlertError(f"more than {MOST_ALERTS} alerts in one request")
    return tuple(_report(form, known, record, signed_at) for record in records)


def _report(form: Format, known: _Form, record: Mapping[str, Any], signed_at: str) -> Report:
    attributes = {**record, **_mapped(known, record)} if known.fields else dict(record)
    attributes["event"] = _EVENTS.get(str(attributes.get("event", "")), attributes.get("event", ""))
    identity = [_at(record, path) for path in known.identity]
    told = (
        delivery_digest(form, *(json.dumps(one, sort_keys=True) for one in identity)) if any(identity) else ""
    )
    return to_report(attributes, signed_at=signed_at, identity=told)


def _mapped(known: _Form, record: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, paths in known.fields.items():
        value = next((value for path in paths if (value := _at(record, path)) not in (None, "")), "")
        if name == "*":
            found |= value if isinstance(value, dict) else {}
        elif value != "" or name not in found:
            found[name] = value if not isinstance(value, dict | list) else json.dumps(value)
    for path in known.texts:
        match = _SELECTION.search(str(_at(record, path) or ""))
        if match and not found.get("JobName"):
            found["JobStreamWorkstation"], found["JobStreamName"], found["JobName"] = match.groups()
    return found


def _at(record: object, path: str) -> Any:
    """What is at `labels.alertname`; None where nothing is."""
    for name in path.split("."):
        record = record.get(name) if isinstance(record, Mapping) else None
    return record


def _records(form: Format, each: str, payload: bytes) -> Iterator[Mapping[str, Any]]:
    if form == "eif":
        yield from _eif(payload)
        return
    body = _lines(payload) if form == "bmevents" else read_json(payload)
    if each and isinstance(body, dict) and each in body:
        body = body[each]
    for record in body if isinstance(body, list) else [body]:
        if not isinstance(record, dict):
            raise MalformedAlertError("an alert is not a JSON object")
        yield record


def _lines(payload: bytes) -> object:
    """A JSON array or object, or one object a line, as log shippers send them."""
    if payload.lstrip().startswith(b"["):
        return read_json(payload)
    return [read_json(line) for line in payload.splitlines() if line.strip()]


def _eif(payload: bytes) -> Iterator[Mapping[str, Any]]:
    """`CLASS;slot=value;slot='it''s';END`, one or more."""
    text = payload.decode(errors="replace")
    for event in _EIF_EVENT.finditer(text):
        slots = {"class": event["name"]}
        for slot in _EIF_SLOT.finditer(event["slots"]):
            value = slot["value"].strip()
            if value[:1] in {"'", '"'}:
                value = value[1:-1].replace("''", "'")
            slots[slot["name"]] = value
        yield slots
