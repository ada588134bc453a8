"""What is done on a terminal: numbered on the device, with its own time and how far that is off."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from pydantic import JsonValue

from city.errors import CityError, Conflict, Forbidden, Invalid, NotFound
from city.identifiers import AccountId

MOST_A_BATCH: Final = 500
OLDEST: Final = timedelta(days=7)
"""Past that an act is looked at by a person: what it speaks of is long billed."""
SIGN_IN_SLACK: Final = timedelta(minutes=10)
"""How far a device's time may be off when it is held against its sign-ins."""


class ActKind(StrEnum):
    """What is done."""

    PLATE = "plate"
    """The plate of a vehicle in a bay: names its stay, and begins one where no sensor saw it."""
    END = "end"
    MOVE = "move"
    """The vehicle was noted for the wrong bay."""
    SPLIT = "split"
    """One vehicle followed another unseen by the sensor."""
    SWAP = "swap"
    """Another vehicle than the noted one stands there."""
    JOIN = "join"
    """One vehicle stands in two bays: the other bay's stay counts."""
    SET_ASIDE = "set-aside"
    """What stands there is nothing to be charged."""
    EXEMPT = "exempt"
    """The stay is freed of its fee, for one of its region's reasons."""
    CASH = "cash"
    AHEAD = "ahead"
    """Cash for a stay that goes on, as much as the terminal's own table of its fee said."""
    ESCAPE = "escape"
    """The vehicle drove off although its driver was asked to pay: its bill is due at once."""
    REPORT = "report"
    """Something is wrong with a bay or its sensor."""
    SHIFT_BEGIN = "shift-begin"
    """One's own shift begins, at a place."""
    SHIFT_PAUSE = "shift-pause"
    SHIFT_RESUME = "shift-resume"
    SHIFT_COUNT = "shift-count"
    """Notes and coins, counted without being told what should be there: the shift ends."""
    SHIFT_EXPLAIN = "shift-explain"
    """What one says to the difference of one's own shift."""
    CASH_GIVE = "cash-give"
    """Cash that one carries goes to a colleague, or to the office."""
    CASH_TAKE = "cash-take"
    """Cash that one has counted: of an offer that the terminal knew, or of a colleague."""
    SIGN_OUT = "sign-out"


class Outcome(StrEnum):
    """What became of an act."""

    DONE = "done"
    REFUSED = "refused"
    """Kept with the reason: a person looks at it."""


class Advice(StrEnum):
    """What whoever did it should do now; keys of the catalogue."""

    LOOK_AGAIN = "look-again"
    """Go to the bay: it is not as the terminal showed it."""
    NOTHING = "nothing"
    """It was done by somebody else, or is over: nothing is left to do."""
    SIGN_IN = "sign-in"
    TYPE_AGAIN = "type-again"
    PHOTO = "take-photo"
    RENUMBER = "renumber"
    """The app gives it another number and sends it again: nobody has to do anything."""
    CALL = "call-supervisor"


class Basis(StrEnum):
    """From what an act's instant was found."""

    MEASURED = "measured"
    """The device knew how far its clock was off when it was done."""
    ON_UPLOAD = "on-upload"
    """How far its clock was off when it was sent."""


@dataclass(frozen=True, slots=True)
class Act:
    """An act as it is kept.

    Parameters
    ----------
    id : UUID
        Made on the device before the act was shown as done.
    sequence : int
        The terminal's own count of its acts, from 1 without gaps.
    device_at : datetime
        By the device's clock, as it was.
    offset_ms : int or None
        The city's clock less the device's, as the device knew it then.
    at : datetime
        When it was done, by the city's clock; never later than when we heard of it.
    detail : Mapping
        What the kind needs: ids, amounts, words; a vehicle's id where it named a plate.
    """

    id: UUID
    terminal_id: UUID
    sequence: int
    kind: ActKind
    account_id: AccountId
    device_at: datetime
    offset_ms: int | None
    at: datetime
    basis: Basis
    received_at: datetime
    detail: Mapping[str, JsonValue]
    outcome: Outcome | None = None
    reason: str = ""
    words: str = ""
    """The refusal in words."""
    effect: Mapping[str, JsonValue] | None = None

    def same_as(self, other: "Act") -> bool:
        """Say whether two uploads under one id tell the same."""
        mine, theirs = (
            (each.sequence, each.kind, each.account_id, each.device_at, dict(each.detail))
            for each in (self, other)
        )
        return self.terminal_id == other.terminal_id and mine == theirs


def instant_of(
    device_at: datetime, offset_ms: int | None, sent_at: datetime, now: datetime
) -> tuple[datetime, Basis]:
    """Give when an act was done by the city's clock, and from what that follows.

    Parameters
    ----------
    device_at : datetime
        By the device's clock.
    offset_ms : int or None
        The city's clock less the device's as the device knew it then.
    sent_at : datetime
        By the device's clock, when it sent the batch.
    now : datetime
        By the city's clock, when the batch came.

    Notes
    -----
    Where the device did not know its offset (it started without a line), its clock is taken to have
    run evenly since: what is wrong now was wrong then. Nothing is later than now.
    """
    if offset_ms is None:
        offset, basis = now - sent_at, Basis.ON_UPLOAD
    else:
        offset, basis = timedelta(milliseconds=offset_ms), Basis.MEASURED
    try:
        at = device_at + offset
    except OverflowError:
        return now, basis
    return min(at, now), basis


@dataclass(frozen=True, slots=True)
class SignIn:
    """A person at a terminal, from signing in on line until they or the next one end it."""

    account_id: AccountId
    from_at: datetime
    until_at: datetime | None

    def covers(self, account_id: AccountId, at: datetime) -> bool:
        """Say whether the person was at the terminal then."""
        ended = self.until_at is not None and at > self.until_at + SIGN_IN_SLACK
        return self.account_id == account_id and at >= self.from_at - SIGN_IN_SLACK and not ended


def check_timely(act: Act) -> None:
    """Refuse what is so old that a person has to look at it.

    Raises
    ------
    Conflict
        Past `OLDEST`.
    """
    if act.received_at - act.at > OLDEST:
        raise Conflict(
            f"was done more than {OLDEST.days} days ago", field="device_at", reason="old"
        )


MOST_BEFORE: Final = timedelta(days=1)
"""How long before an act what it tells of may have been: a vehicle that followed another, say."""
MOST_AHEAD: Final = timedelta(hours=12)
"""How far ahead a terminal's tables of fees reach."""


def minutes_of(act: Act, name: str, most: timedelta) -> timedelta:
    """Give a span that an act names in whole minutes; nothing where it names none.

    Raises
    ------
    Invalid
        Where it is no span, or too long.
    """
    said = act.detail.get(name, 0)
    if not isinstance(said, int) or not 0 <= said <= most / timedelta(minutes=1):
        raise Invalid(f"must be minutes, {most // timedelta(minutes=1)} at most", field=name)
    return timedelta(minutes=said)


_ADVICE: Final[Mapping[str, Advice]] = {
    "attached": Advice.LOOK_AGAIN,
    "elsewhere": Advice.LOOK_AGAIN,
    "later-stay": Advice.LOOK_AGAIN,
    "no-stay": Advice.LOOK_AGAIN,
    "closed": Advice.NOTHING,
    "announced": Advice.NOTHING,
    "paid": Advice.NOTHING,
    "set-aside": Advice.NOTHING,
    "exempt": Advice.NOTHING,
    "escaped": Advice.NOTHING,
    "no-vehicle": Advice.LOOK_AGAIN,
    "photo": Advice.PHOTO,
    "words": Advice.TYPE_AGAIN,
    "not-signed-in": Advice.SIGN_IN,
    "number-used": Advice.RENUMBER,
    "plate": Advice.TYPE_AGAIN,
    "lacks": Advice.TYPE_AGAIN,
    "open": Advice.NOTHING,
    "on-break": Advice.NOTHING,
    "no-break": Advice.NOTHING,
    "not-counted": Advice.NOTHING,
}


def reason_of(error: CityError) -> str:
    """Give the short name of why an act was refused."""
    said = error.details.get("reason")
    if isinstance(said, str):
        return said
    match error:
        case NotFound():
            return "not-found"
        case Forbidden():
            return "forbidden"
        case Invalid() if error.field == "plate":
            return "plate"
        case Invalid():
            return "invalid"
    return "conflict"


def advice_of(reason: str) -> Advice:
    """Say what to do about an act that was refused."""
    return _ADVICE.get(reason, Advice.CALL)


def missing_before(last_sequence: int, received: int) -> int:
    """Give how many acts of a terminal are still on their way, or lost: its gaps."""
    return max(0, last_sequence - received)
