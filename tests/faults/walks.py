"""What attendants will do on their rounds: drawn from a seed before anything does."""

from __future__ import annotations

import itertools
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
    TariffId,
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
from parking.rules.occupancy.history import BayChange, BayState, StateChange
from parking.services.places import Bay, Facility, record_places
from parking.services.stays import apply_bay_changes
from parking.services.tariffs import publish_tariff
from parking.store.tariffs import ensure_tariff
from payments import takeovers
from payments.rules.bills import Charge
from tests.faults.standing import PRICE_MINOR, UNIT_S
from tests.faults.turns import Deed, Ground, deeds

if TYPE_CHECKING:
    from uuid import UUID

    from city.terminals.rules.terminals import Terminal
    from city.works.database import Database, UnitOfWork

DISTRICT: Final = DistrictCode("0157")
USUAL: Final = 8
"""A terminal's own bays, and one more in which nobody ever stands."""
PRICED: Final = 4
"""So many times three bays with a fee, and two more with a sensor's word."""
SENSED: Final = 2
BAY_M: Final = 12.0
"""From one bay's middle to the next: too far for one vehicle."""
NEAR_M: Final = 6.0
APART: Final = timedelta(minutes=1)
"""Between two acts of one terminal: they were done over the hours before they are sent."""
REST: Final = timedelta(minutes=12)
"""After the last act: by then every stay is taken as over for good."""
SENSED_BEFORE: Final = timedelta(seconds=45)
"""How long before a round a sensor saw vehicles arrive."""
FAR_S: Final = 600.0
AMOUNTS_MINOR: Final = (100, 300, 450, 1200)
MOST_AT_ONCE: Final = 500
ROUND: Final = 4
"""Acts of a usual vehicle, of which one is cash for a bill."""
LOSING: Final = 0.5
"""Share of devices that are wiped before anybody hears of some acts."""
AROUND: Final = 8
"""Acts of the shift and of cash that nobody takes, and the sign-out."""
COIN_MINOR: Final = 50
"""All amounts are multiples of it."""
SEEN: Final = "walk-seen"
"""Names a sensor's observation."""
TARIFF: Final[dict[str, Any]] = {
    "language": "greenbay-tariff/1",
    "name": {"zh": "巡查路停车", "en": "Walk Road"},
    "currency": "CNY",
    "timezone": "Asia/Shanghai",
    "schedules": [
        {
            "id": "all",
            "vehicles": ["small"],
            "bands": [
                {
                    "id": "always",
                    "name": {"zh": "全天", "en": "always"},
                    "counts": "stay",
                    "charge": {
                        "kind": "steps",
                        "rounding": "started",
                        "steps": [{"unit_s": UNIT_S, "price_minor": PRICE_MINOR}],
                    },
                }
            ],
        }
    ],
}


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
    """Of cash: what is taken."""
    photo: bytes | None = None
    """Taken with it; sent once its act is known to be kept."""
    lost: bool = False
    """The device is wiped before anybody hears of it."""


@dataclass(slots=True)
class Walk:
    """One terminal with its person, and all that they will do."""

    terminal: Terminal
    private: ec.EllipticCurvePrivateKey
    """Of the device."""
    account_id: AccountId
    behind: timedelta
    """By how much the device's clock is wrong."""
    seed: int
    bays: list[str]
    """All that it acts on."""
    unpriced: frozenset[str]
    """Those of them that cost nothing."""
    beside: frozenset[frozenset[str]]
    """Pairs in which one vehicle can stand at once."""
    sensed: dict[str, tuple[datetime, str]]
    """Where a sensor saw a vehicle arrive, when, and by which observation."""
    shift_id: UUID = field(default_factory=uuid7)
    """Of the act that begins the shift."""
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
        The last act of each was done `REST` before.
    """
    begin_at = now - REST - APART * (acts + 1)
    streets = _streets(database, terminals, begin_at)
    walks = []
    for number, street in enumerate(streets):
        chance = Random(f"{seed}/{number}")  # noqa: S311 - repeatable, no secret
        with database.unit_of_work() as uow:
            walk, colleague = _walk(uow, chance, begin_at), _person(uow)
        walk.bays, walk.beside = [str(each) for each in street.all()], street.beside()
        walk.unpriced = frozenset(map(str, street.usual))
        walk.sensed = {str(each): (begin_at - SENSED_BEFORE, SEEN) for each in street.sensed}
        ground = Ground(
            number,
            street.usual[:USUAL],
            street.usual[USUAL],
            street.priced,
            list(street.sensed),
            _bills(database, chance, -(-acts // ROUND)),
            chance,
        )
        said = _shift(list(itertools.islice(deeds(ground), acts - AROUND)), colleague)
        walk.shift_id = said[0].id
        walk.steps = [
            Step(
                each.id,
                place,
                each.kind,
                begin_at + APART * place,
                each.members,
                each.refused,
                each.minor,
                each.photo,
            )
            for place, each in enumerate(said, 1)
        ]
        if chance.random() < LOSING:
            told = [each for each in walk.steps if each.kind == "report"]
            for step in chance.sample(told, min(3, len(told))):
                step.lost = True
        walks.append(walk)
    return walks


def _shift(done: list[Deed], colleague: AccountId) -> list[Deed]:
    """Put a shift around what is done in it, with a break and a right count at its end."""
    half, minor = len(done) // 2, sum(each.minor for each in done if not each.refused)
    pieces = {str(COIN_MINOR): minor // COIN_MINOR}
    begin = Deed("shift-begin", {"place": "Walk Road"})
    # The colleague never says the same: it stays where it was, by the ledger as well.
    coin = {"amount_minor": COIN_MINOR, "currency": "CNY", "person_id": str(colleague)}
    return [
        begin,
        *done[:half],
        Deed("shift-pause", {}),
        Deed("shift-resume", {}),
        *done[half:],
        Deed("cash-give", coin),
        Deed("cash-take", coin),
        Deed("shift-count", {"pieces": pieces, "note": "all there"}),
        Deed("shift-explain", {"shift_id": str(begin.id), "note": "all there, twice"}),
        Deed("sign-out", {}),
    ]


def _walk(uow: UnitOfWork, chance: Random, begin_at: datetime) -> Walk:
    """Register a terminal and who is at it since the morning."""
    account_id = _person(uow)
    given = services.register(uow, SYSTEM, f"Walk {account_id.hex[-8:]}", DISTRICT)
    terminal_id, private = given.terminal.id, ec.generate_private_key(ec.SECP256R1())
    # Enrolled by hand: over HTTP one network may try twenty codes in a quarter of an hour.
    numbers = private.public_key().public_numbers()
    key = PublicKey(numbers.x.to_bytes(32), numbers.y.to_bytes(32))
    store.enrol(uow.connection, terminal_id, key, 0, "1.0.0", uow.wall.now())
    act_store.begin_sign_in(uow.connection, uuid7(), terminal_id, account_id, begin_at)
    behind = timedelta(seconds=chance.uniform(-FAR_S, FAR_S))
    seed = chance.randrange(2**32)
    return Walk(
        given.terminal,
        private,
        account_id,
        behind,
        seed,
        [],
        frozenset(),
        frozenset(),
        {},
    )


def _person(uow: UnitOfWork) -> AccountId:
    """Register an attendant."""
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
    return account_id


@dataclass(frozen=True, slots=True)
class _Street:
    """The bays of one terminal: those without a fee in a facility of their own."""

    usual: list[BayId]
    priced: list[tuple[BayId, BayId, BayId]]
    sensed: list[BayId]

    def all(self) -> list[BayId]:
        return [*self.usual, *(bay for three in self.priced for bay in three), *self.sensed]

    def beside(self) -> frozenset[frozenset[str]]:
        return frozenset(frozenset({str(one), str(near)}) for one, _, near in self.priced)


def _streets(database: Database, terminals: int, begin_at: datetime) -> list[_Street]:
    """Register bays, and let sensors see vehicles arrive in some."""
    middle = Position(118.7, 32.0)
    with database.unit_of_work() as uow:
        publish_tariff(uow, "walk-road", TARIFF, valid_from=begin_at - timedelta(days=1), by="test")
        tariff_id = ensure_tariff(uow.connection, "walk-road", "", "")
    streets, homes, bays, arrivals = [], [], [], []
    for number in range(terminals):
        free = _home(f"{number}段", middle.moved(0, 240 * number), None)
        priced = _home(f"{number}号", middle.moved(0, 240 * number + 120), tariff_id)
        homes += [free, priced]
        usual = [_bay(free, f"W{at:02}", BAY_M * at) for at in range(USUAL + 1)]
        threes = [
            [
                _bay(priced, f"P{at}{place}", 4 * BAY_M * at + along_m)
                for place, along_m in zip("AXB", (0.0, 2 * BAY_M, NEAR_M), strict=True)
            ]
            for at in range(PRICED)
        ]
        sensed = [_bay(priced, f"S{at}", BAY_M * (at - 9)) for at in range(SENSED)]
        bays += [*usual, *(bay for three in threes for bay in three), *sensed]
        arrivals += [_arrival(each, begin_at - SENSED_BEFORE) for each in sensed]
        streets.append(
            _Street(
                [BayId(each.id) for each in usual],
                [(BayId(a.id), BayId(x.id), BayId(b.id)) for a, x, b in threes],
                [BayId(each.id) for each in sensed],
            )
        )
    with database.unit_of_work() as uow:
        record_places(uow, homes, bays)
    with database.unit_of_work() as uow:
        apply_bay_changes(uow, arrivals)
    return streets


def _home(name: str, position: Position, tariff_id: TariffId | None) -> Facility:
    return Facility(
        code=f"W-{uuid7().hex[-8:]}",
        district=DISTRICT,
        ownership="public",
        kind="kerb",
        name_zh=f"巡查路{name}",
        name_en=f"Walk Road {name}",
        position=position,
        timezone="Asia/Shanghai",
        operator_id=OperatorId(uuid7()),
        revenue_nature="public_non_tax",
        tariff_id=tariff_id,
        id=FacilityId(uuid7()),
    )


def _bay(home: Facility, label: str, along_m: float) -> Bay:
    position = home.position.moved(along_m, 0)
    return Bay(home.id, DISTRICT, label, "standard", position, id=BayId(uuid7()))


def _arrival(bay: Bay, at: datetime) -> BayChange:
    """Give a sensor's word that a vehicle arrived, to which nothing is added later."""
    seen = StateChange(BayState.OCCUPIED, at, 900, SEEN, None)
    return BayChange(
        BayId(bay.id),
        FacilityId(bay.facility_id),
        DISTRICT,
        from_at=at,
        changes=(seen,),
        state=BayState.OCCUPIED,
        since_at=at,
        sure=900,
        heard_at=at,
        provisional=False,
    )


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
