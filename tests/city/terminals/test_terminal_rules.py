"""Signatures by the published standard, codes as people type them, what needs an eye."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.errors import Invalid, Unauthenticated
from city.identifiers import DistrictCode
from city.terminals.rules.signing import public_key_of, read_signed
from city.terminals.rules.terminals import (
    Concern,
    Health,
    Terminal,
    TerminalState,
    code_digest,
    concerns,
    new_code,
)

NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)
WELL = Health(
    at=NOW,
    battery_percent=80,
    charging=False,
    network="cellular",
    longitude=None,
    latitude=None,
    accuracy_m=None,
    app_version="1.0.0",
    tariffs_version=None,
    acts_waiting=0,
    oldest_waiting_at=None,
    clock_behind_ms=400,
)
TERMINAL = Terminal(
    UUID(int=1),
    "PDA 7",
    DistrictCode("0153"),
    TerminalState.ACTIVE,
    NOW,
    heard_at=NOW,
    health=WELL,
)


def test_a_signature_of_the_standards_own_example_is_verified() -> None:
    """RFC 9421, appendix B.2.4, under the key of B.1.3."""
    key = public_key_of(
        "qIVYZVLCrPZHGHjP17CTW0_-D9Lfw0EkjqF7xB4FivA", "Mc4nN9LTDOBhfoUeg8Ye9WedFRhnZXZJA12Qp0zZ6F0"
    )
    base = (
        b'"@status": 200\n'
        b'"content-type": application/json\n'
        b'"content-digest": sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX6'
        b"9wWdXymyU0rjJuahq4l5aGgfLQ==:\n"
        b'"content-length": 23\n'
        b'"@signature-params": ("@status" "content-type" "content-digest" "content-length")'
        b';created=1618884473;keyid="test-key-ecc-p256"'
    )
    signature = base64.b64decode(
        "wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw=="
    )
    assert key.verifies(signature, base)
    assert not key.verifies(signature, base + b" ")


@given(st.dictionaries(st.sampled_from(["Signature", "Signature-Input"]), st.text(max_size=60)))
def test_whatever_stands_in_the_headers_is_refused_and_nothing_else(
    headers: dict[str, str],
) -> None:
    with pytest.raises(Unauthenticated):
        read_signed(("POST", "/", ""), b"", headers)


def test_a_code_is_the_same_however_it_is_typed() -> None:
    code = new_code()
    assert len(code) == 14
    assert code_digest(code) == code_digest(f" {code.lower().replace('-', '')} ")
    assert code_digest("0011-ABCD-EFGH") == code_digest("oOiL abcd efgh")
    with pytest.raises(Invalid):
        code_digest("0011-ABCD-EFG!")


@pytest.mark.parametrize(
    ("health", "found"),
    [
        (WELL, ()),
        (replace(WELL, battery_percent=19), (Concern.BATTERY,)),
        (replace(WELL, battery_percent=19, charging=True), ()),
        (replace(WELL, battery_percent=None, clock_behind_ms=-121_000), (Concern.CLOCK,)),
        (replace(WELL, acts_waiting=3, oldest_waiting_at=NOW - timedelta(minutes=14)), ()),
        (
            replace(WELL, acts_waiting=3, oldest_waiting_at=NOW - timedelta(minutes=16)),
            (Concern.WAITING,),
        ),
    ],
)
def test_a_terminal_that_needs_an_eye_is_told_and_no_other(
    health: Health, found: tuple[Concern, ...]
) -> None:
    assert concerns(replace(TERMINAL, health=health), NOW) == found
    revoked = replace(TERMINAL, health=health, state=TerminalState.REVOKED)
    assert concerns(revoked, NOW) == ()


def test_a_terminal_that_says_nothing_is_silent_and_one_that_left_many_numbers_out_told() -> None:
    later = NOW + timedelta(minutes=31)
    many = replace(TERMINAL, missed_requests=10, last_sequence=100)
    assert concerns(many, later) == (Concern.SILENT, Concern.MISSED)
    for few in (replace(many, missed_requests=9), replace(many, last_sequence=101)):
        assert concerns(few, NOW) == ()
