from __future__ import annotations

import pytest
from pydantic import ValidationError

from bots.slack.settings import SlackSettings


def test_slack_is_off_without_a_token() -> None:
    assert not SlackSettings().enabled
    assert SlackSettings(bot_token="xoxb-1", signing_secret="s").enabled


@pytest.mark.parametrize("secret", ["", "  "])
def test_token_needs_a_signing_secret(secret: str) -> None:
    with pytest.raises(ValidationError, match=r"signing_secret \(or app_token\) is required"):
        SlackSettings(bot_token="xoxb-1", signing_secret=secret)


def test_several_workspaces_need_the_apps_secret_and_no_token() -> None:
    with pytest.raises(ValidationError, match="client_secret is required"):
        SlackSettings(client_id="1.2", signing_secret="s")
    with pytest.raises(ValidationError, match="not both"):
        SlackSettings(client_id="1.2", client_secret="c", bot_token="xoxb-1", app_token="xapp-1")
    assert SlackSettings(client_id="1.2", client_secret="c", app_token="xapp-1").enabled


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
