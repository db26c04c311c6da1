"""What an access line says of the client, and which queries it tells."""

from __future__ import annotations

import pytest

import logboom
from logboom import _arrival


def client(hops: int, *forwarded: object, peer: object = "10.0.0.9") -> object:
    headers = {b"x-forwarded-for": list(forwarded)} if forwarded else {}
    fields = _arrival.fields_of(logboom.AccessLog(forwarded_hops=hops), peer, headers, b"")
    return fields.get("client")


def test_the_client_is_who_the_server_says():
    assert client(0, b"1.2.3.4") == "10.0.0.9"
    assert client(0) == "10.0.0.9"
    assert client(0, peer=None) is None
    assert client(0, peer="a\nb") == "a\\nb"


@pytest.mark.parametrize(
    ("hops", "forwarded", "expected"),
    [
        (1, (b"6.6.6.6, 1.2.3.4",), "1.2.3.4"),
        (2, (b"6.6.6.6, 1.2.3.4, 10.0.0.1",), "1.2.3.4"),
        (2, (b"6.6.6.6, 1.2.3.4", b"10.0.0.1"), "1.2.3.4"),
        (3, (b"1.2.3.4",), "1.2.3.4"),
        (1, (b"[2001:db8::1]:443",), "2001:db8::1"),
        # What no proxy of ours wrote is nobody's address.
        (1, (b"6.6.6.6, <script>",), "10.0.0.9"),
        (1, (b"",), "10.0.0.9"),
        (1, (b"\xff\x1b[2J",), "10.0.0.9"),
        (1, (7,), "10.0.0.9"),
        (1, (), "10.0.0.9"),
    ],
)
def test_proxies_are_believed_as_far_as_they_are_ours(hops, forwarded, expected):
    assert client(hops, *forwarded) == expected


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("a=1&b=2", "a=1&b=2"),
        ("token=x&page=2", "token=***&page=2"),
        ("access_token=x", "access_token=***"),
        ("api%4Bey=x", "api%4Bey=***"),
        ("PASSWORD=x=y", "PASSWORD=***"),
        ("code=x&zipcode=1", "code=***&zipcode=1"),
        ("X-Amz-Signature=x", "X-Amz-Signature=***"),
        ("token", "token"),
        ("", ""),
    ],
)
def test_secrets_of_a_query_are_not_told(query, told):
    assert _arrival.without_secrets(query) == told


def test_a_user_agent_is_bounded_and_drives_no_terminal():
    headers = {b"user-agent": [b"\x1b[2J" + b"x" * 5000]}
    agent = _arrival.fields_of(logboom.AccessLog(), None, headers, b"")["user_agent"]
    assert len(agent) < 520
    assert agent.isprintable()
