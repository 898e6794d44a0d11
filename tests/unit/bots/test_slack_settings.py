from __future__ import annotations

import pytest
from pydantic import ValidationError

from bots.slack.settings import SlackSettings


def test_slack_is_off_without_a_token() -> None:
    assert not SlackSettings().enabled
    assert SlackSettings(bot_token="xoxb-1", signing_secret="s").enabled


@pytest.mark.parametrize("secret", ["", "  "])
def test_token_needs_a_signing_secret(secret: str) -> None:
    with pytest.raises(ValidationError, match="signing_secret is required"):
        SlackSettings(bot_token="xoxb-1", signing_secret=secret)


@pytest.mark.parametrize("url", ["http://slack.example/api/", "ftp://127.0.0.1/", "slack.com"])
def test_token_is_not_sent_in_clear(url: str) -> None:
    with pytest.raises(ValidationError, match="must be https"):
        SlackSettings(api_url=url)


def test_secrets_are_masked() -> None:
    settings = SlackSettings(bot_token="xoxb-1", signing_secret="hush")

    assert "xoxb-1" not in repr(settings)
    assert "hush" not in repr(settings)


@pytest.mark.parametrize(
    ("listed", "teams", "expected"),
    [
        ((), ("T1", "T9"), True),
        (("T1",), ("T1", "T1"), True),
        (("T1",), ("T1", "T9"), False),
        (("T1", "T9"), ("T1", "T9"), True),
    ],
)
def test_allow_list_is_for_the_app_and_the_author(
    listed: tuple[str, ...], teams: tuple[str, ...], *, expected: bool
) -> None:
    assert SlackSettings(team_allow_list=frozenset(listed)).allows(*teams) is expected
