from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security.masking import mask_event, mask_secrets

_SECRETS = st.text("abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", min_size=8, max_size=40)
_SECRET_NAMES = st.sampled_from(
    [
        "password",
        "DB_PASSWORD",
        "refreshToken",
        "client-secret",
        "Authorization",
        "api_key",
        "X-API-Key",
        "senha",
        "Cookie",
    ]
)
_PLAIN_NAMES = st.sampled_from(["event", "job", "workstation", "turn_id"])
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(_SECRETS, _SECRET_NAMES, _PLAIN_NAMES)
def test_a_value_under_a_secret_name_is_masked_at_any_depth(secret: str, name: str, plain: str) -> None:
    nested: Any = {plain: [({name: secret}, {name: {"inner": [secret]}})]}
    assert mask_secrets(nested) == {plain: [({name: "***"}, {name: "***"})]}


@given(
    _SECRETS, _SECRET_NAMES, st.sampled_from(["{}={}", "{}: {}", '"{}": "{}"', "{} = '{}'", "?{}={}&next=1"])
)
def test_a_named_secret_inside_a_text_is_masked(secret: str, name: str, form: str) -> None:
    text = f"connecting with {form.format(name, secret)} now"
    assert secret not in mask_secrets(text)


@given(
    _SECRETS,
    st.sampled_from(["Authorization: Bearer {}", "header 'bearer {}'", "redis://app:{}@cache:6379/0"]),
)
def test_credentials_inside_a_text_are_masked(secret: str, form: str) -> None:
    assert secret not in mask_secrets(form.format(secret))


@given(st.text("abcdefghij", min_size=1), st.text("klmnopqrstuvwxyz", min_size=8))
def test_basic_credentials_are_masked(user: str, password: str) -> None:
    credentials = base64.b64encode(f"{user}:{password}".encode()).decode()
    assert credentials not in mask_secrets(f"got 'Basic {credentials}' from client")


@pytest.mark.parametrize(
    "secret",
    [
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbmEifQ.c2lnbmF0dXJl",
        "xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy",
        "xapp-1-A123-456-abcdef",
        "sk-proj-abcdefghijklmnop1234",
        "AKIAIOSFODNN7EXAMPLE",
        "AIzaSyA-1234567890abcdefghijklmnopqrstu",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "glpat-abcdefghij0123456789",
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIEow+/=\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\\nMIIEow+/=\\n-----END PRIVATE KEY-----",
    ],
)
def test_tokens_of_known_shape_are_masked_wherever_they_stand(secret: str) -> None:
    assert mask_secrets(f"answer {secret} end") == "answer *** end"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("-----BEGIN PRIVATE KEY-----\nMIIEow\n[… cut …]\n</data>", "***[… cut …]\n</data>"),
        ("RC 8\nMIIEow+/=\nabcd==\n-----END PRIVATE KEY-----\nRC 8", "RC 8\n***\nRC 8"),
        ("sqlplus -s scott/tiger@PAY @run.sql", "sqlplus -s scott/***@PAY @run.sql"),
        ("load --password tiger --fast", "load --password *** --fast"),
        ("AccountName=pay;AccountKey=dGlnZXI==;x=1", "AccountName=pay;AccountKey=***;x=1"),
        ("Server=db;Uid=scott;Pwd=tiger;", "Server=db;Uid=scott;Pwd=***;"),
    ],
)
def test_only_the_secret_goes(text: str, masked: str) -> None:
    assert mask_secrets(text) == masked


def test_a_quoted_secret_with_spaces_is_masked_whole() -> None:
    assert mask_secrets('password="correct horse battery", user=ana') == "password=***, user=ana"


@pytest.mark.parametrize(
    "text",
    [
        "AWSBIN076E The job PAYROLL#NIGHT.PAY01 ended with return code 8",
        "basic information about the plan",
        "https://tws.example.com:31116/twsd/api/v2?limit=5",
        "os tokens acabaram",
        "run.sh --password-file /etc/x --verbose",
        "connect to AGT_HR01 and/or restart it",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert mask_secrets(text) == text


@given(_JSON)
def test_masking_twice_changes_nothing(value: Any) -> None:
    once = mask_secrets(value)
    assert mask_secrets(once) == once


@given(st.dictionaries(st.text(), st.integers() | st.none() | st.booleans()))
def test_numbers_stay_under_any_name(value: dict[str, int | bool | None]) -> None:
    assert mask_secrets({"max_tokens": 1024, **value}) == {"max_tokens": 1024, **value}


def test_an_exception_is_masked_as_text() -> None:
    assert mask_secrets(ValueError("token=abc123 refused")) == "ValueError('token=*** refused')"


def test_a_log_event_is_masked() -> None:
    event = {"event": "login with senha=abc", "token": "t0k3n", "attempt": 2}
    assert mask_event(None, "info", event) == {"event": "login with senha=***", "token": "***", "attempt": 2}
