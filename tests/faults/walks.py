"""What attendants will do on their rounds: drawn from a seed before anything does."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import insert

from city.identifiers import (
    AccountId,
    BayId,
    DistrictCode,
    FacilityId,
    OperatorId,
    ParkingSessionId,
    TariffVersionId,
    VehicleId,
    uuid7,
)
from city.money import Money
from city.people.actors import SYSTEM
from city.people.store import ACCOUNT
from city.places import Position
from city.terminals import act_store, services, store
from city.terminals.rules.signing import PublicKey
from parking.services.places import Bay, Facility, record_places
from payments import shifts, takeovers
from payments.rules.bills import Charge

if TYPE_CHECKING:
    from uuid import UUID

    from city.terminals.rules.terminals import Terminal
    from city.works.database import Database, UnitOfWork

DISTRICT: Final = DistrictCode("0157")
BAYS: Final = 8
"""A terminal's own, and one more in which nobody ever stands."""
APART: Final = timedelta(minutes=1)
"""Between two acts of one terminal: they were done over the hours before they are sent."""
FAR_S: Final = 600.0
ROUND: Final = 4
"""Acts of one vehicle: its plate, what is seen there, its end, cash for a bill."""
AMOUNTS_MINOR: Final = (100, 300, 450, 1200)
LETTERS: Final = "ABCDEFGHJK"
MOST_AT_ONCE: Final = 500


@dataclass(slots=True)
class Step:
    """An act as it will be done, and what must become of it."""

    id: UUID
    sequence: int
    kind: str
    at: datetime
    """When it is done, by the one true time."""
    members: dict[str, Any]
    refused: str = ""
    """The reason for which it must be; empty where it takes effect."""
    minor: int = 0
    """Of cash: what the bill is over."""
    lost: bool = False
    """The device is wiped before anybody hears of it."""


@dataclass(slots=True)
class Walk:
    """One terminal with its person, and all that they will do."""

    terminal: Terminal
    private: ec.EllipticCurvePrivateKey
    """Of the device."""
    account_id: AccountId
    shift_id: UUID
    behind: timedelta
    """By how much the device's clock is wrong."""
    seed: int
    steps: list[Step] = field(default_factory=list)

    def cash_minor(self) -> int:
        """Give what the person carries in the end."""
        return sum(each.minor for each in self.steps if not each.refused)

    def lost(self) -> int:
        """Give how many numbers never come."""
        return sum(each.lost for each in self.steps)


def plan_walks(
    database: Database, terminals: int, acts: int, seed: int, now: datetime
) -> list[Walk]:
    """Register terminals, people, bays and bills through the services; draw what will be done.

    Parameters
    ----------
    database
        Of the running system.
    terminals, acts
        How many, and acts of each.
    seed
        Decides everything but ids.
    now
        The last act of each was done just before.
    """
    bays = _bays(database, terminals)
    walks = []
    for number in range(terminals):
        chance = Random(f"{seed}/{number}")  # noqa: S311 - repeatable, no secret
        begin_at = now - APART * (acts + 1)
        with database.unit_of_work() as uow:
            walk = _walk(uow, number, chance, begin_at)
        mine = bays[number * (BAYS + 1) : (number + 1) * (BAYS + 1)]
        bills = _bills(database, chance, -(-acts // ROUND))
        walk.steps = [_step(number, at, begin_at + APART * at, mine, bills) for at in range(acts)]
        if chance.random() < 0.5:
            told = [each for each in walk.steps[:-1] if each.kind == "report"]
            for each in chance.sample(told, min(3, len(told))):
                each.lost = True
        walks.append(walk)
    return walks


def _step(
    number: int, at: int, when: datetime, bays: list[BayId], bills: list[tuple[str, int]]
) -> Step:
    """Give the act at a place of the round."""
    turn, place = divmod(at, ROUND)
    bay_id = str(bays[turn % BAYS])
    step = Step(uuid7(), at + 1, "report", when, {"bay_id": bay_id, "what": "other", "note": "x"})
    match place:
        case 0:
            plate = f"京{LETTERS[number % 10]}{number // 10 % 10}{turn:04}"
            step.kind = "plate"
            step.members = {"bay_id": bay_id, "plate": plate, "plate_kind": "blue7"}
        case 1 if turn % 11 == 10:
            step.kind, step.refused = "end", "no-stay"
            step.members = {"bay_id": str(bays[BAYS]), "reason": "nobody stands there"}
        case 2:
            step.kind, step.members = "end", {"bay_id": bay_id, "reason": "drove off before me"}
        case 3:
            again = turn % 9 == 8
            bill_id, minor = bills[turn - 1 if again else turn]
            step.kind, step.minor = "cash", minor
            step.refused = "paid" if again else ""
            step.members = {"bill_id": bill_id, "tendered_minor": minor + 50, "currency": "CNY"}
        case _:
            pass
    return step


def _walk(uow: UnitOfWork, number: int, chance: Random, begin_at: datetime) -> Walk:
    """Register a terminal and who is at it since the morning, with their shift."""
    account_id = AccountId(uuid7())
    login = f"walker-{account_id.hex[-8:]}"
    uow.connection.execute(
        insert(ACCOUNT).values(
            id=account_id,
            kind="staff",
            login=login,
            login_key=login,
            name=login,
            roles=["attendant"],
            password_hash="unusable",
            created_at=uow.wall.now(),
        )
    )
    given = services.register(uow, SYSTEM, f"Walk {account_id.hex[-8:]}", DISTRICT)
    terminal_id, private = given.terminal.id, ec.generate_private_key(ec.SECP256R1())
    # Enrolled by hand: over HTTP one network may try twenty codes in a quarter of an hour.
    numbers = private.public_key().public_numbers()
    key = PublicKey(numbers.x.to_bytes(32), numbers.y.to_bytes(32))
    store.enrol(uow.connection, terminal_id, key, 0, "1.0.0", uow.wall.now())
    act_store.begin_sign_in(uow.connection, uuid7(), terminal_id, account_id, begin_at)
    shift_id = uuid7()
    shifts.begin(uow, shift_id, str(account_id), DISTRICT, f"Walk {number}")
    behind = timedelta(seconds=chance.uniform(-FAR_S, FAR_S))
    return Walk(given.terminal, private, account_id, shift_id, behind, chance.randrange(2**32))


def _bays(database: Database, terminals: int) -> list[BayId]:
    """Register a street of bays, each terminal's in a facility of its own."""
    middle = Position(118.7, 32.0)
    homes, bays = [], []
    for number in range(terminals):
        home = Facility(
            code=f"W-{uuid7().hex[-8:]}",
            district=DISTRICT,
            ownership="public",
            kind="kerb",
            name_zh=f"巡查路{number}段",
            name_en=f"Walk Road {number}",
            position=middle.moved(0, 120 * number),
            timezone="Asia/Shanghai",
            operator_id=OperatorId(uuid7()),
            revenue_nature="public_non_tax",
            id=FacilityId(uuid7()),
        )
        homes.append(home)
        bays += [
            Bay(
                home.id,
                DISTRICT,
                f"W{at:02}",
                "standard",
                home.position.moved(12.0 * at, 0),
                id=BayId(uuid7()),
            )
            for at in range(BAYS + 1)
        ]
    with database.unit_of_work() as uow:
        record_places(uow, homes, bays)
    return [BayId(each.id) for each in bays]


def _bills(database: Database, chance: Random, count: int) -> list[tuple[str, int]]:
    """Issue bills, as of stays that were over before."""
    found: list[tuple[str, int]] = []
    for first in range(0, count, MOST_AT_ONCE):
        amounts = [chance.choice(AMOUNTS_MINOR) for _ in range(min(MOST_AT_ONCE, count - first))]
        operator_id, facility_id = OperatorId(uuid7()), FacilityId(uuid7())
        charges = [
            Charge(
                session_id=ParkingSessionId(uuid7()),
                vehicle_id=VehicleId(uuid7()),
                facility_id=facility_id,
                district=DISTRICT,
                operator_id=operator_id,
                revenue_nature="commercial",
                tariff_version_id=TariffVersionId(uuid7()),
                amount=Money(minor, "CNY"),
                lines=({"minor": minor, "units": 1},),
            )
            for minor in amounts
        ]
        with database.unit_of_work() as uow:
            issued = takeovers.issue_bills(uow, charges, "test")
        found += [(str(each.id), each.amount.minor) for each in issued]
    return found
