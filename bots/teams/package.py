"""The app package: what an administrator of Teams uploads.

https://learn.microsoft.com/microsoftteams/platform/concepts/build-and-test/apps-package
"""

import io
import json
import zipfile
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from .settings import TeamsSettings

_FOLDER: Final = Path(__file__).parents[2] / "manifests" / "teams"
_AS_THEY_ARE: Final = ("pt-br.json", "color.png", "outline.png")
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""Of each file, so that the same settings give the same bytes."""


def build_package(settings: TeamsSettings, *, public_url: str, version: str) -> bytes:
    """The zip for this bot. `public_url` is an https address, `version` three numbers.

    Raises ValueError where a setting is missing that the manifest needs.
    """
    if not settings.enabled:
        raise ValueError("RESYNC_TEAMS__APP_ID is not set; the package is for one bot registration.")
    site = urlsplit(public_url)
    if site.scheme != "https" or not site.hostname:
        raise ValueError("RESYNC_REST__PUBLIC_URL must be the https address under which Resync is reached.")
    manifest = json.loads((_FOLDER / "manifest.json").read_bytes())
    manifest["version"] = version
    manifest["id"] = manifest["bots"][0]["botId"] = settings.app_id
    manifest["developer"] = {
        "name": settings.developer_name,
        "websiteUrl": public_url,
        "privacyUrl": settings.privacy_url or public_url,
        "termsOfUseUrl": settings.terms_url or public_url,
    }
    manifest["validDomains"] = [site.hostname]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("manifest.json", _EPOCH), json.dumps(manifest, indent=2))
        for name in _AS_THEY_ARE:
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), (_FOLDER / name).read_bytes())
    return packed.getvalue()
