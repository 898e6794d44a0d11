"""Security headers of everything Resync answers, from `headers.yaml`.

https://cheatsheetseries.owasp.org/cheatsheets/HTTP_Headers_Cheat_Sheet.html
"""

from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType

import yaml

_DATA = yaml.safe_load(resources.files("security").joinpath("headers.yaml").read_bytes())

API_HEADERS: Mapping[str, str] = MappingProxyType(_DATA["everywhere"] | _DATA["data"])
"""For answers that are data: nothing in them may run, be framed or be kept."""

PAGE_HEADERS: Mapping[str, str] = MappingProxyType(_DATA["everywhere"] | _DATA["pages"])
"""For pages and their assets: own files only, no inline script or style; revalidated on each load."""
