"""Learn who pays inside a channel's app: the browser is sent to the app and brings back a code.

What it must bring back, and then who pays, is kept sealed by the browser itself: nothing of either
stands in our tables or logs.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from city.errors import Forbidden
from city.works.database import Database, UnitOfWork
from journeys.pay_by_link import keys
from payments.rules import payer_notes
from payments.rules.in_app import InApp
from payments.rules.payer_notes import HandOff

log = structlog.get_logger("payments")

AWAY_FOR: Final = timedelta(minutes=10)
"""A browser that went to the app is back within: it shows nothing there."""
KNOWN_FOR: Final = timedelta(hours=12)
_STATE_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Sent:
    """Where a browser goes to, and what it keeps until it is back."""

    address: str
    kept: str


@dataclass(frozen=True, slots=True)
class Back:
    """A browser that is back: where it was, and who pays, sealed; empty where the app told none."""

    page: str
    payer: str


def send(uow: UnitOfWork, in_app: InApp, page: str, come_back_to: str) -> Sent:
    """Send a browser to its app to learn who pays.

    Parameters
    ----------
    uow : UnitOfWork
    in_app : InApp
    page : str
        Path of the page that it leaves.
    come_back_to : str
        Address where the app sends it back to.
    """
    state = secrets.token_hex(_STATE_BYTES)
    until_at = uow.wall.now() + AWAY_FOR
    kept = payer_notes.seal_hand_off(HandOff(state, page), until_at, keys(uow))
    return Sent(in_app.ask_address(come_back_to, state), kept)


def learn(database: Database, in_app: InApp, kept: str, state: str, code: str) -> Back:
    """Learn who pays from what a browser brings back; the channel is asked.

    Raises
    ------
    Forbidden
        Where it was not this browser that we sent, or too long ago.
    """
    with database.unit_of_work() as uow:
        sealing, now = keys(uow), uow.wall.now()
    sent = payer_notes.open_hand_off(kept, sealing, now)
    if sent is None or not hmac.compare_digest(sent.state.encode(), state.encode()):
        raise Forbidden("it was not this browser that was sent, or too long ago", field="state")
    told = in_app.payer_of(code)
    if not told.payer:
        log.warning("a channel does not say who pays", reason=told.reason)
        return Back(sent.back, "")
    return Back(sent.back, payer_notes.seal_payer(told.payer, now + KNOWN_FOR, sealing))


def known(uow: UnitOfWork, kept: str) -> str:
    """Give who pays, of what a browser keeps; empty where that is none of ours or too old."""
    return payer_notes.open_payer(kept, keys(uow), uow.wall.now()) if kept else ""
