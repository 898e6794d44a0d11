from __future__ import annotations

from bots.webhook.settings import WebhookSettings, WebhookSource


def test_short_secret_is_unsafe_and_named_by_its_source() -> None:
    settings = WebhookSettings(
        sources={
            "tws-prod": WebhookSource(secret="sixteen letters!"),
            "tws-test": WebhookSource(secret="fifteen letters"),
        }
    )

    (problem,) = settings.unsafe()

    assert problem == "RESYNC_WEBHOOK__SOURCES: the secret of tws-test has fewer than 16 characters"


def test_secrets_are_masked() -> None:
    assert "battery" not in repr(WebhookSource(secret="correct horse battery"))
