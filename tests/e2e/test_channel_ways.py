"""Slack, Teams and a webhook: the same path as REST, with each platform's real requests and signatures."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import aiohttp

from bots.webhook.signature import sign
from tests.support import slack_driver, teams_activities
from tests.support.fake_connector import FakeConnector
from tests.support.fake_slack import FakeSlack
from tests.support.running import WEBHOOK_SECRET, Resync
from tests.support.slack_driver import SlackDriver


async def _eventually(find: Callable[[], Any], *, seconds: float = 15) -> Any:
    """What `find` returns once it is truthy."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = find()
        if found:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError("it did not come in time")


def _slack_buttons(message: dict[str, Any]) -> dict[str, dict[str, Any]]:
    blocks = [block for block in message["blocks"] if block["type"] == "actions"]
    return {button["text"]["text"]: button for block in blocks for button in block["elements"]}


async def test_signed_slack_event_leads_to_a_confirmed_rerun(resync: Resync, slack: FakeSlack) -> None:
    before = await resync.runs_of("POS_SETTLE", "POSCLOSE")
    async with aiohttp.ClientSession() as session:
        driver = SlackDriver(session, f"{resync.address}/slack/events")
        event = slack_driver.mention("why did POS_SETTLE fail?", channel="C1")
        thread = event["event"]["ts"]
        for retry in (0, 1, 2):
            assert (await driver.send_event(event, retry=retry)).status == 200

        def answers() -> list[dict[str, Any]]:
            return [
                message
                for (channel, _), message in slack.messages.items()
                if channel == "C1"
                and message.get("thread_ts") == thread
                and "No space left" in json.dumps(message)
            ]

        (answer,) = await _eventually(answers)
        ask = _slack_buttons(answer)["Rerun"]
        pressed = slack_driver.press(ask["action_id"], ask["value"], channel="C1")
        pressed["message"] |= {"ts": "1.0", "thread_ts": thread}
        assert (await driver.send_action(pressed)).status == 200

        def cards() -> list[tuple[str, dict[str, Any]]]:
            return [
                (ts, message)
                for (channel, ts), message in slack.messages.items()
                if channel == "C1" and "Approve" in _slack_buttons(message)
            ]

        ((card_ts, card),) = await _eventually(cards)
        assert len(await resync.runs_of("POS_SETTLE", "POSCLOSE")) == len(before)
        approve = _slack_buttons(card)["Approve"]
        decision = slack_driver.press(approve["action_id"], approve["value"], channel="C1")
        decision["message"] |= {"ts": card_ts, "thread_ts": thread}
        assert (await driver.send_action(decision)).status == 200
        await _eventually(lambda: "Confirmed" in json.dumps(slack.messages["C1", card_ts]))
    assert "Approve" not in _slack_buttons(slack.messages["C1", card_ts])
    assert len(await resync.runs_of("POS_SETTLE", "POSCLOSE")) == len(before) + 1


async def test_a_rejection_in_slack_says_why_to_everybody(resync: Resync, slack: FakeSlack) -> None:
    async with aiohttp.ClientSession() as session:
        driver = SlackDriver(session, f"{resync.address}/slack/events")
        await driver.send_event(slack_driver.message("rerun PAYROLL", channel="D8"))

        def cards() -> list[tuple[str, dict[str, Any]]]:
            return [
                (ts, message)
                for (channel, ts), message in slack.messages.items()
                if channel == "D8" and "Reject" in _slack_buttons(message)
            ]

        ((card_ts, card),) = await _eventually(cards)
        reject = _slack_buttons(card)["Reject"]
        press = slack_driver.press(reject["action_id"], reject["value"], channel="D8")
        press["message"] = {"ts": card_ts, "text": card["text"]}
        assert (await driver.send_action(press)).status == 200
        ((view_id, view),) = slack.views.items()
        assert "Reject" in _slack_buttons(slack.messages["D8", card_ts])
        sent = slack_driver.submission(view_id, view, {"reason": "the <!channel> files are late"})
        assert (await driver.send_action(sent)).status == 200
        await _eventually(lambda: not _slack_buttons(slack.messages["D8", card_ts]))
    said = slack.messages["D8", card_ts]["text"]
    assert "Rejected by Operator (“the &lt;!channel&gt; files are late”); nothing was done." in said


async def test_help_in_slack_is_for_whoever_asked(resync: Resync, slack: FakeSlack) -> None:
    async with aiohttp.ClientSession() as session:
        driver = SlackDriver(session, f"{resync.address}/slack/events")
        asked = slack_driver.command("", channel="C6", response_url=slack.response_url)
        assert (await driver.send_command(asked)).status == 200
        (said,) = await _eventually(lambda: [one for one in slack.whispers if one["channel"] == "C6"])
    assert said["user"] == slack_driver.PERSON
    assert not [message for (channel, _), message in slack.messages.items() if channel == "C6"]


async def test_a_decision_on_the_web_shows_in_slack_within_two_seconds(
    resync: Resync, slack: FakeSlack
) -> None:
    async with aiohttp.ClientSession() as session:
        driver = SlackDriver(session, f"{resync.address}/slack/events")
        await driver.send_event(slack_driver.message("rerun PAYROLL", channel="D9"))

        def cards() -> list[tuple[str, dict[str, Any]]]:
            return [
                (ts, message)
                for (channel, ts), message in slack.messages.items()
                if channel == "D9" and "Reject" in _slack_buttons(message)
            ]

        ((card_ts, card),) = await _eventually(cards)
    async with resync.client("operator") as operator:
        status, _ = await operator.decide(_slack_buttons(card)["Reject"]["value"], "reject")
    assert status == 200
    await _eventually(lambda: not _slack_buttons(slack.messages["D9", card_ts]), seconds=2)
    assert "decided by Operator at" in slack.messages["D9", card_ts]["text"]


async def test_unknown_slack_user_is_refused_politely(resync: Resync, slack: FakeSlack) -> None:
    async with aiohttp.ClientSession() as session:
        driver = SlackDriver(session, f"{resync.address}/slack/events")
        await driver.send_event(slack_driver.message("what failed?", channel="D7", user="U777"))
        await _eventually(
            lambda: [
                message
                for (channel, _), message in slack.messages.items()
                if channel == "D7" and "U777" in json.dumps(message)
            ]
        )


async def test_unsigned_requests_reach_nothing(resync: Resync) -> None:
    async with aiohttp.ClientSession(resync.address) as session:
        for path in ("/slack/events", "/api/messages", "/webhooks/tws"):
            async with session.post(path, json={"type": "message", "text": "what failed?"}) as response:
                assert response.status == 401, path
                assert response.content_type == "application/problem+json"


def _teams_actions(card: Any) -> dict[str, dict[str, Any]]:
    actions = list(card.get("actions", []))
    for element in card.get("body", []):
        if element["type"] == "ActionSet":
            actions += element["actions"]
    return {action["title"]: action for action in actions}


async def test_verified_teams_activity_leads_to_a_confirmed_rerun(
    resync: Resync, connector: FakeConnector
) -> None:
    before = await resync.runs_of("SFTP_BACEN", "REGULAT")

    async def send(activity: dict[str, Any]) -> tuple[int, Any]:
        headers = {"Authorization": connector.sign()}
        async with (
            aiohttp.ClientSession(resync.address) as session,
            session.post("/api/messages", json=activity, headers=headers) as response,
        ):
            return response.status, await response.json(
                content_type=None
            ) if response.content_length else None

    def last_card(title: str) -> list[Any]:
        return [
            delivery
            for delivery in connector.messages
            if delivery.activity.get("attachments") and title in _teams_actions(delivery.card)
        ]

    url = connector.service_url
    status, _ = await send(teams_activities.message(url, "por que o SFTP_BACEN falhou?", locale="pt-BR"))
    assert status in {200, 202}
    (answer, *_) = await _eventually(lambda: last_card("Reexecutar"))
    assert "Permission denied (publickey)" in json.dumps(answer.card)
    rerun = _teams_actions(answer.card)["Reexecutar"]
    status, invoked = await send(teams_activities.execute(url, rerun["verb"], rerun["data"], locale="pt-BR"))
    assert (status, invoked["statusCode"]) == (200, 200)
    (proposed, *_) = await _eventually(lambda: last_card("Aprovar"))
    approve = _teams_actions(proposed.card)["Aprovar"]
    status, invoked = await send(
        teams_activities.execute(url, approve["verb"], approve["data"], locale="pt-BR")
    )
    assert (status, invoked["statusCode"]) == (200, 200)
    await _eventually(
        lambda: [one for one in connector.deliveries if "Confirmado" in json.dumps(one.activity)]
    )
    assert len(await resync.runs_of("SFTP_BACEN", "REGULAT")) == len(before) + 1


async def test_an_alert_becomes_an_incident_with_one_card_that_follows_it(
    resync: Resync, slack: FakeSlack
) -> None:
    alert = {
        "source": "tws",
        "event": "JobStatusChanged",
        "engine": "PROD",
        "JobStreamWorkstation": "AGT_SEC01",
        "JobStreamName": "SECOPS",
        "JobName": "CERT_SYNC",
        "Workstation": "AGT_SEC01",
        "JobNumber": 4711,
        "Status": "Error",
        "InternalStatus": "ABEND",
        "ReturnCode": 60,
        "ErrorMessage": 'he said "rerun everything"\nnow',
    }
    body = json.dumps(alert).encode()
    timestamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "X-Resync-Timestamp": timestamp,
        "X-Resync-Signature": sign(WEBHOOK_SECRET, timestamp, body),
    }
    async with aiohttp.ClientSession(resync.address) as session:
        answers = []
        for _ in range(2):
            async with session.post("/webhooks/tws", data=body, headers=headers) as response:
                assert response.status == 202
                answers.append(await response.json())
    assert [answer["duplicate"] for answer in answers] == [False, True]
    assert answers[0]["id"] == answers[1]["id"]

    def card() -> str:
        """What the one card shows now."""
        (shown,) = [message for (channel, _), message in slack.messages.items() if channel == "C9"]
        return json.dumps(shown)

    await _eventually(lambda: [one for (channel, _), one in slack.messages.items() if channel == "C9"])
    await _eventually(lambda: "certificate" in card())
    (posted,) = [message for (channel, _), message in slack.messages.items() if channel == "C9"]
    assert "CERT_SYNC" in card()
    assert "Rerun" in _slack_buttons(posted)
    async with resync.client("viewer") as viewer:
        status, found = await viewer.get("/api/v1/incidents?state=active")
        assert status == 200
        (incident,) = [one for one in found["incidents"] if one["root"] and one["root"]["job"] == "CERT_SYNC"]
        assert incident["state"] == "open"
        assert (incident["alerts"], incident["severity"]) == (1, "medium")
        status, _ = await viewer.post(f"/api/v1/incidents/{incident['id']}/acknowledge", None)
        assert status == 403
        status, detail = await viewer.get(f"/api/v1/incidents/{incident['id']}")
        assert status == 200
        assert [(one["job"], one["times"]) for one in detail["reported"]] == [("CERT_SYNC", 2)]
        assert "certificate" in json.dumps(detail["investigation"])
        assert detail["timeline"][0]["kind"] == "opened"
        assert (await viewer.get("/api/v1/incidents/999999"))[0] == 404
        assert (await viewer.get("/api/v1/incidents/many"))[0] == 404
    await _owned(resync, incident["id"])
    await _eventually(lambda: "supervisor" in card())
    async with resync.client("operator") as operator:
        status, over = await operator.post(f"/api/v1/incidents/{incident['id']}/resolve", None)
        assert (status, over["state"]) == (200, "resolved")
    await _eventually(lambda: "It is over" in card())
    (posted,) = [message for (channel, _), message in slack.messages.items() if channel == "C9"]
    assert _slack_buttons(posted) == {}


async def _owned(resync: Resync, number: int) -> None:
    """Everything that a person may do about an incident over REST, but ending it."""
    path = f"/api/v1/incidents/{number}"
    async with resync.client("operator") as operator:
        status, taken = await operator.post(f"{path}/acknowledge", None)
        assert (status, taken["state"], taken["assignee"]) == (200, "acknowledged", "operator")
        assert (await operator.post(f"{path}/acknowledge", None))[0] == 409
        assert (await operator.post(f"{path}/assign", {"assignee": "supervisor"}))[1][
            "assignee"
        ] == "supervisor"
        assert (await operator.post(f"{path}/note", {"text": "certificate ordered"}))[0] == 200
        assert (await operator.post(f"{path}/note", {"text": ""}))[0] == 422
        assert (await operator.post(f"{path}/silence", {"until": "2026-01-01T00:00:00"}))[0] == 422
        assert (await operator.post(f"{path}/silence", {"until": "2026-01-01T00:00:00Z"}))[0] == 200
        assert (await operator.post(f"{path}/merge", {"into": number}))[0] == 409
        assert (await operator.post(f"{path}/split", {"alerts": ["nothing"]}))[0] == 409
