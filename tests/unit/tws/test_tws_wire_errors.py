"""What an error answer means, by what the caller can do about it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tws import wire
from tws.errors import (
    TwsDeniedError,
    TwsError,
    TwsNotFoundError,
    TwsNotMasterError,
    TwsProtocolError,
    TwsRejectedError,
    TwsUnreachableError,
    TwsUnsupportedError,
)

URL = "https://tws.example.com:31116/twsd/api/v2"

json_bodies = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
).map(json.dumps)


def error(status: int, body: str, what: str | None = None) -> TwsError:
    return wire.read_error(status, body, url=URL, what=what)


def test_an_illegal_action_is_a_refusal_with_its_cause() -> None:
    body = json.dumps(
        {
            "messages": [
                "AWSJSY404E The operation could not be completed.",
                "AWSBIN076E The job is in an\n incorrect state.",
            ]
        }
    )
    refused = error(500, body, "job x")
    assert isinstance(refused, TwsRejectedError)
    assert refused.message_ids == ("AWSJSY404E", "AWSBIN076E")
    assert str(refused) == "AWSBIN076E The job is in an incorrect state."


def test_the_ids_are_found_in_any_kind_of_body() -> None:
    refused = error(500, "<html><p>AWSJSY404E wraps: AWSBIN076E wrong state</p></html>")
    assert isinstance(refused, TwsRejectedError)
    assert refused.message_ids[-1] == "AWSBIN076E"


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_gateway_is_an_outage_whatever_it_says(status: int) -> None:
    for body in ("", "<html>AWSBIN076E</html>"):
        outage = error(status, body)
        assert isinstance(outage, TwsUnreachableError)
        assert outage.was_sent


@pytest.mark.parametrize(
    "body", ["", "Internal Server Error", "AWSJSY404E x AWSJDB801E database access error"]
)
def test_an_engine_in_trouble_is_an_outage(body: str) -> None:
    outage = error(500, body)
    assert isinstance(outage, TwsUnreachableError)
    assert outage.was_sent


def test_wrong_credentials_are_denied_without_repeating_the_page() -> None:
    denied = error(401, "<html>user resync, password hunter2</html>")
    assert isinstance(denied, TwsDeniedError)
    assert (denied.status, str(denied)) == (401, "TWS does not accept the credentials")


def test_a_missing_right_names_its_id() -> None:
    denied = error(403, '{"messages":["AWSJDB817E The user has no RERUN access."]}')
    assert isinstance(denied, TwsDeniedError)
    assert (denied.status, str(denied)) == (403, "AWSJDB817E The user has no RERUN access.")


def test_a_missing_object_is_named_and_a_missing_api_is_not_a_missing_object() -> None:
    missing = error(404, "", "job 4711")
    assert isinstance(missing, TwsNotFoundError)
    assert str(missing) == "job 4711 is not in the plan"
    assert isinstance(error(404, "<html>Context Root Not Found</html>"), TwsProtocolError)


def test_a_wrong_filter_is_a_refusal() -> None:
    refused = error(400, "OQL_FILTER_SYNTAX_ERROR")
    assert isinstance(refused, TwsRejectedError)
    assert (str(refused), refused.message_ids) == ("OQL_FILTER_SYNTAX_ERROR", ())


@pytest.mark.parametrize("status", [302, 405, 415, 418])
def test_what_the_api_never_answers_is_a_protocol_error(status: int) -> None:
    assert isinstance(error(status, "<html>login</html>"), TwsProtocolError)


@given(st.integers(300, 599), st.text(max_size=300) | json_bodies)
def test_every_error_answer_becomes_one_error_of_bounded_length(status: int, body: str) -> None:
    assert len(str(error(status, body, "job x"))) < 1000


def test_an_outage_names_the_address_and_not_the_body() -> None:
    assert str(error(503, "secret body")) == f"TWS at {URL} did not answer: status 503"


@pytest.mark.parametrize(
    "body", ['{"messages": ["AWSJPL004E not the master"]}', '{"exceptionName": "com.ibm.EngineNotMaster"}']
)
@pytest.mark.parametrize("status", [400, 403, 500, 503])
def test_a_host_that_only_stands_by_is_not_the_master(status: int, body: str) -> None:
    assert isinstance(error(status, body), TwsNotMasterError)


@pytest.mark.parametrize("status", [404, 405, 501])
def test_an_operation_that_the_engine_does_not_know_is_unsupported(status: int) -> None:
    assert isinstance(error(status, ""), TwsUnsupportedError)
    assert isinstance(error(404, "", "job x"), TwsNotFoundError)
