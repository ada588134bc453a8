"""What an attendant does about one vehicle, act by act: the usual turn, and each of the rarer ones.

Between them they hold every kind of act that a terminal can tell, and the refusals that people meet
most. Nothing here says what becomes of stays: `tests.faults.standing` does, from the acts alone.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from city.identifiers import uuid7

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from random import Random
    from uuid import UUID

    from city.identifiers import BayId

LETTERS: Final = "ABCDEFGHJK"
AHEAD_MINOR: Final = (100, 250, 600, 1_000)
"""What is taken ahead: less than a stay of some minutes comes to, as much, and more."""
RARE_EVERY: Final = 3
"""Each third vehicle is one of the rarer turns."""
PHOTO: Final = 0.3
"""Share of those who drive off of whom a photo is taken."""


@dataclass(slots=True)
class Deed:
    """An act without its number and time, and what must become of it."""

    kind: str
    members: dict[str, Any]
    refused: str = ""
    """The reason for which it must be; empty where it takes effect."""
    minor: int = 0
    """Of cash: what is taken."""
    photo: bytes | None = None
    """Taken with it."""
    id: UUID = field(default_factory=uuid7)


@dataclass(slots=True)
class Ground:
    """What one terminal works with."""

    number: int
    """Of the terminal."""
    usual: Sequence[BayId]
    """Bays without a fee."""
    nobodys: BayId
    """In which nobody ever stands."""
    priced: Sequence[tuple[BayId, BayId, BayId]]
    """Three bays with a fee each, the last one beside the first, the second further off."""
    sensed: list[BayId]
    """Bays with a fee in which a sensor saw a vehicle arrive: each for one turn."""
    bills: Sequence[tuple[str, int]]
    """Bills that are to be paid, and what they are over."""
    chance: Random
    vehicles: int = 0

    def plate(self) -> dict[str, str]:
        """Give a plate that nobody had before."""
        self.vehicles += 1
        letter, middle = LETTERS[self.number % 10], self.number // 10 % 10
        return {"plate": f"京{letter}{middle}{self.vehicles:04}", "plate_kind": "blue7"}


def deeds(ground: Ground) -> Iterator[Deed]:
    """Give acts without end: each vehicle's one after the other."""
    rare, paid = 3 * ground.number, 0
    turn = 0
    while True:
        if turn % RARE_EVERY == RARE_EVERY - 1:
            bays = ground.priced[rare % len(ground.priced)]
            yield from RARE[rare % len(RARE)](ground, *bays)
            rare += 1
        else:
            yield from _usual(ground, ground.usual[turn % len(ground.usual)], paid)
            paid += 1
        turn += 1


def _usual(ground: Ground, bay: BayId, turn: int) -> Iterator[Deed]:
    """Note a vehicle, report the bay, end the stay, take cash for a bill."""
    here = {"bay_id": str(bay)}
    yield Deed("plate", here | ground.plate())
    if turn % 11 == 5:
        nobody = {"bay_id": str(ground.nobodys), "reason": "nobody stands there"}
        yield Deed("end", nobody, "no-stay")
    else:
        yield Deed("report", {**here, "what": "other", "note": "x"})
    yield Deed("end", {**here, "reason": "drove off before me"})
    again = turn % 5 == 4
    bill_id, minor = ground.bills[turn - 1 if again else turn]
    members = {"bill_id": bill_id, "tendered_minor": minor + 50, "currency": "CNY"}
    yield Deed("cash", members, "paid" if again else "", minor)


def _moved(ground: Ground, one: BayId, far: BayId, _beside: BayId) -> Iterator[Deed]:
    """See that another vehicle came unseen, note it for the wrong bay, move it to the right one."""
    yield _plate(one, ground)
    yield _at("split", one, "two cars, not one", minutes_before=0, vehicle_left=True)
    yield _plate(far, ground)
    yield _at("move", far, "noted for the wrong bay", to_bay_id=str(one))
    yield from (_end(one), _end(far))


def _came(ground: Ground, one: BayId, _far: BayId, _beside: BayId) -> Iterator[Deed]:
    """See that the noted vehicle is the one that came later."""
    yield _plate(one, ground)
    yield _at("report", one, "", what="other", note="two cars?")
    yield _at("split", one, "two cars, not one", minutes_before=1, vehicle_left=False)
    yield _end(one)


def _late(ground: Ground, one: BayId, _far: BayId, _beside: BayId) -> Iterator[Deed]:
    """Note the vehicle that came unseen when it is gone already."""
    yield _plate(one, ground)
    yield _at("split", one, "two cars, not one", minutes_before=0, vehicle_left=True)
    yield from (_end(one), _plate(one, ground))


def _swapped(ground: Ground, one: BayId, _far: BayId, _beside: BayId) -> Iterator[Deed]:
    """See a vehicle twice, and then another one in its place."""
    mine = ground.plate()
    yield from (Deed("plate", {"bay_id": str(one), **mine}) for _ in range(2))
    yield _at("report", one, "", what="other", note="another car?")
    yield _at("swap", one, "another car stands there", **ground.plate())
    yield _end(one)


def _joined(ground: Ground, one: BayId, far: BayId, _beside: BayId) -> Iterator[Deed]:
    """Note a vehicle for two bays, and say that it stands in both."""
    mine = ground.plate()
    yield from (Deed("plate", {"bay_id": str(bay), **mine}) for bay in (one, far))
    yield _at("join", far, "one car in both", to_bay_id=str(one))
    yield from (_end(far), _end(one))


def _straddling(ground: Ground, one: BayId, _far: BayId, beside: BayId) -> Iterator[Deed]:
    """Note a vehicle for a bay and the one beside it: it is joined without a word."""
    mine = ground.plate()
    yield from (Deed("plate", {"bay_id": str(bay), **mine}) for bay in (one, beside))
    yield from (_end(beside), _end(one))


def _set_aside(ground: Ground, one: BayId, _far: BayId, _beside: BayId) -> Iterator[Deed]:
    """Find that nothing is to be charged; of what a sensor saw, where it saw anything."""
    if ground.sensed:
        seen = ground.sensed.pop()
        yield _at("set-aside", seen, "a bin stands there", what="object")
        yield _end(seen)
    yield _plate(one, ground)
    yield _at("set-aside", one, "a motorcycle", what="motorcycle")
    yield _end(one)


def _sensed(ground: Ground, one: BayId, _far: BayId, _beside: BayId) -> Iterator[Deed]:
    """Name what a sensor saw arrive; elsewhere one that no sensor saw."""
    place = ground.sensed.pop() if ground.sensed else one
    yield _plate(place, ground)
    yield _at("report", place, "", what="other", note="x")
    yield _end(place)


def _freed(ground: Ground, one: BayId, _far: BayId, _beside: BayId) -> Iterator[Deed]:
    """Free a stay of its fee where its reason needs no photo."""
    yield _plate(one, ground)
    yield _at("exempt", one, "", exempt="sensor-fault")
    yield _end(one)


def _freed_with_photo(ground: Ground, one: BayId, _far: BayId, _beside: BayId) -> Iterator[Deed]:
    """Free a stay for a reason that needs a photo: first without one."""
    yield _plate(one, ground)
    without = _at("exempt", one, "", exempt="street-works")
    without.refused = "photo"
    yield without
    yield _with_photo(_at("exempt", one, "", exempt="street-works"), ground.chance)
    yield _end(one)


def _ahead(ground: Ground, one: BayId, _far: BayId, _beside: BayId) -> Iterator[Deed]:
    """Take cash ahead once or twice, as much as a table on the device said."""
    yield _plate(one, ground)
    for _ in range(ground.chance.randint(1, 2)):
        minor = ground.chance.choice(AHEAD_MINOR)
        money = {"amount_minor": minor, "tendered_minor": minor + 50, "currency": "CNY"}
        taken = _at("ahead", one, "", minutes_ahead=60, **money)
        taken.minor = minor
        yield taken
    yield _end(one)


def _escaped(ground: Ground, one: BayId, _far: BayId, _beside: BayId) -> Iterator[Deed]:
    """See a vehicle drive off unpaid, and say so twice."""
    yield _plate(one, ground)
    yield _at("report", one, "", what="other", note="does not want to pay")
    escape = _at("escape", one, "drove off when asked to pay")
    yield _with_photo(escape, ground.chance) if ground.chance.random() < PHOTO else escape
    again = _at("escape", one, "drove off when asked to pay")
    again.refused = "escaped"
    yield again


def _mistaken(ground: Ground, one: BayId, _far: BayId, _beside: BayId) -> Iterator[Deed]:
    """Mistype a plate, note a second vehicle for a taken bay, act for somebody who is not here."""
    mistyped = {"bay_id": str(one), "plate": "京A1234", "plate_kind": "blue7"}
    yield Deed("plate", mistyped, "plate")
    yield _plate(one, ground)
    other = _plate(one, ground)
    other.refused = "attached"
    yield other
    foreign = _at("report", one, "", what="other", note="x", account_id=str(uuid7()))
    foreign.refused = "not-signed-in"
    yield foreign
    yield _end(one)


RARE: Final[Sequence[Callable[[Ground, BayId, BayId, BayId], Iterator[Deed]]]] = (
    _moved,
    _came,
    _late,
    _swapped,
    _joined,
    _straddling,
    _set_aside,
    _sensed,
    _freed,
    _freed_with_photo,
    _ahead,
    _escaped,
    _mistaken,
)


def _plate(bay: BayId, ground: Ground) -> Deed:
    return Deed("plate", {"bay_id": str(bay), **ground.plate()})


def _end(bay: BayId) -> Deed:
    return _at("end", bay, "drove off before me")


def _at(kind: str, bay: BayId, reason: str, **members: object) -> Deed:
    said = {"reason": reason} if reason else {}
    return Deed(kind, {"bay_id": str(bay), **said, **members})


def _with_photo(deed: Deed, chance: Random) -> Deed:
    """Take a photo with an act: a small one of nothing."""
    drawn = np.random.default_rng(chance.randrange(2**32)).integers(0, 255, (24, 32, 3), np.uint8)
    deed.photo = cv2.imencode(".jpg", drawn)[1].tobytes()
    deed.members |= {
        "photo_id": str(uuid7()),
        "photo_sha256": hashlib.sha256(deed.photo).hexdigest(),
    }
    return deed
