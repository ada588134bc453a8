"""A terminal, how it is enrolled, and what about it needs a supervisor's eye."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from city.errors import Conflict, Forbidden, Invalid
from city.identifiers import DistrictCode
from city.money import Money
from city.terminals.rules.signing import PublicKey

OFFLINE_CASH: Final = Money(50_000, "CNY")
"""Of a terminal for which nobody set another limit: some fifty stays of a busy street."""
CODE_LASTS: Final = timedelta(minutes=15)
CODE_CHARACTERS: Final = 12
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: none of its signs is taken for another one."""
_READ_AS = str.maketrans("OIL", "011", " -")
_GROUP: Final = 4

COARSE_DEGREES: Final = 3
"""Decimals of a position that are kept: about 100 m, a street and no doorway."""

SILENT_AFTER: Final = timedelta(minutes=30)
BATTERY_LOW_PERCENT: Final = 20
WAITING_LONG: Final = timedelta(minutes=15)
CLOCK_FAR: Final = timedelta(minutes=2)
MISSED_MANY: Final = 10
MISSED_SHARE: Final = 10
"""One in so many: a request now and then is lost on the street, and one that was refused counts."""


class TerminalState(StrEnum):
    """What a terminal may do."""

    AWAITED = "awaited"
    """Nobody has used its code."""
    ACTIVE = "active"
    LOCKED = "locked"
    """From afar, as when it is missing: it may only say how it does."""
    REVOKED = "revoked"
    """For good: another terminal takes its place."""


class Concern(StrEnum):
    """What needs a supervisor's eye; keys of the catalogue."""

    SILENT = "silent"
    BATTERY = "battery"
    WAITING = "waiting"
    CLOCK = "clock"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Health:
    """How a terminal said it does, the last time it said so."""

    at: datetime
    """When we heard it, by our wall clock."""
    battery_percent: int | None
    charging: bool | None
    network: str | None
    longitude: float | None
    latitude: float | None
    accuracy_m: float | None
    app_version: str
    tariffs_version: str | None
    """Names the prices that it shows without a line; None where it has none."""
    acts_waiting: int
    oldest_waiting_at: datetime | None
    clock_behind_ms: int | None
    """Our clock less the device's own, as the device found it; None before it could."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """A device that attendants work with."""

    id: UUID
    name: str
    district: DistrictCode
    state: TerminalState
    registered_at: datetime
    enrolled_at: datetime | None = None
    key: PublicKey | None = None
    code_expires_at: datetime | None = None
    last_sequence: int = 0
    missed_requests: int = 0
    """Running numbers that never arrived."""
    heard_at: datetime | None = None
    app_version: str | None = None
    state_reason: str = ""
    offline_cash: Money = OFFLINE_CASH
    """Most cash that it takes without a line before the city knows of any of it."""
    health: Health | None = None

    def may_act(self, *, locked_too: bool = False) -> None:
        """Pass where it is in service, or locked where that does.

        Raises
        ------
        Forbidden
            Otherwise, with what whoever holds it should do.
        """
        if self.state is TerminalState.LOCKED and not locked_too:
            raise Forbidden(
                "this terminal is locked: what waits on it is kept; call your supervisor",
                reason="locked",
            )
        if self.state not in {TerminalState.ACTIVE, TerminalState.LOCKED}:
            raise Forbidden(
                "this terminal is out of service: hand it to your supervisor", reason="revoked"
            )

    def check_lock(self) -> None:
        """Pass where it can be locked; Conflict otherwise."""
        if self.state is not TerminalState.ACTIVE:
            raise Conflict("only an active terminal can be locked", state=self.state.value)

    def check_unlock(self) -> None:
        """Pass where it is locked; Conflict otherwise."""
        if self.state is not TerminalState.LOCKED:
            raise Conflict("is not locked", state=self.state.value)

    def check_revocable(self) -> None:
        """Pass where it is not revoked; Conflict otherwise."""
        if self.state is TerminalState.REVOKED:
            raise Conflict("is revoked for good", reason="revoked")

    def check_sequence(self, sequence: int) -> None:
        """Pass a running number after the last one; it may leave some out, which are counted.

        Raises
        ------
        Conflict
            Where it is none after the last one: the request was sent before, by whomever.
        """
        if sequence <= self.last_sequence:
            raise Conflict(
                "this request came before, or after a later one: sign it again",
                reason="replayed",
                next_sequence=self.last_sequence + 1,
            )


def new_code() -> str:
    """Make a one-time code: 60 random bits in three groups, to be typed once."""
    signs = "".join(secrets.choice(_ALPHABET) for _ in range(CODE_CHARACTERS))
    return "-".join(signs[at : at + _GROUP] for at in range(0, CODE_CHARACTERS, _GROUP))


def code_digest(typed: str) -> bytes:
    """Give the SHA-256 under which a code is kept, however it was typed.

    Raises
    ------
    Invalid
        Where it cannot be one.
    """
    plain = typed.upper().translate(_READ_AS)
    if len(plain) != CODE_CHARACTERS or not set(plain) <= set(_ALPHABET):
        raise Invalid("is not an enrolment code: twelve letters and digits", field="code")
    return hashlib.sha256(b"greenbay/terminal/v1\0" + plain.encode()).digest()


def coarse(degrees: float | None) -> float | None:
    """Give what is kept of a coordinate."""
    return None if degrees is None else round(degrees, COARSE_DEGREES)


def concerns(terminal: Terminal, now: datetime) -> tuple[Concern, ...]:
    """Say what about a terminal in service needs an eye, the most urgent first.

    Parameters
    ----------
    terminal : Terminal
        With its health, where it ever told it.
    now : datetime
        Wall time.
    """
    if terminal.state not in {TerminalState.ACTIVE, TerminalState.LOCKED}:
        return ()
    health = terminal.health
    found: list[Concern] = []
    if terminal.heard_at is None or now - terminal.heard_at > SILENT_AFTER:
        found.append(Concern.SILENT)
    if health is not None:
        oldest = health.oldest_waiting_at
        if health.acts_waiting and oldest is not None and now - oldest > WAITING_LONG:
            found.append(Concern.WAITING)
        low = health.battery_percent is not None and health.battery_percent < BATTERY_LOW_PERCENT
        if low and not health.charging:
            found.append(Concern.BATTERY)
        behind_ms = health.clock_behind_ms
        if behind_ms is not None and abs(timedelta(milliseconds=behind_ms)) > CLOCK_FAR:
            found.append(Concern.CLOCK)
    missed = terminal.missed_requests
    if missed >= MISSED_MANY and missed * MISSED_SHARE >= terminal.last_sequence:
        found.append(Concern.MISSED)
    return tuple(found)
