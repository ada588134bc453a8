"""Acts decided together do what each does by its own use case: the same rows, the same answers."""

from __future__ import annotations

import re
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, insert, text

from city.errors import Unavailable
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
from city.people.accounts import create_account
from city.people.actors import SYSTEM
from city.places import Position
from city.terminals import act_store
from city.terminals import services as terminals
from city.terminals.rules.acts import ActKind
from city.vehicles import PlateKind
from journeys.apply_acts import ActIn, ActResult, apply_acts
from parking.rules.stays import BayStay
from parking.store import round_book
from parking.store.places import Bay, add_bays, add_facilities
from parking.store.stays import add as add_stays
from parking.store.tables import parking_session
from payments.cash_round import CashRound
from payments.rules.bills import Charge
from payments.services import issue_bill
from tests.journeys.conftest import DISTRICT, TARIFF, at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from city.terminals.rules.terminals import Terminal
    from city.works.database import UnitOfWork
    from tests.journeys.conftest import Street

WEST = DistrictCode("0154")
PASSWORD = "correct horse 1 battery"
PLATES = ("京A12345", "京B12345", "京AD12345", "京X1234应急", "no plate")
KINDS = (
    PlateKind.BLUE7,
    PlateKind.BLUE7,
    PlateKind.NEV_GREEN8,
    PlateKind.EMERGENCY_WHITE,
    PlateKind.BLUE7,
)
NAMING = (ActKind.PLATE, ActKind.SWAP)
NOBODY = AccountId(UUID(int=7))


LAST_RECORD = text("select coalesce(max(id), 0) from audit.record")


class RolledBackError(Exception):
    """What was done is not to be kept."""


@contextmanager
def undone(street: Street) -> Iterator[UnitOfWork]:
    """Lend a unit of work of which nothing is kept."""
    with suppress(RolledBackError), street.database.unit_of_work() as uow:
        yield uow
        raise RolledBackError


@dataclass(slots=True)
class Round:
    """A district with all that acts can meet, and a terminal in it."""

    street: Street
    terminal: Terminal
    account_id: AccountId
    bays: list[BayId]
    bills: list[str]

    def compare(self, batches: Sequence[Sequence[ActIn]]) -> list[list[ActResult]]:
        """Tell batches both ways, each from the same beginning; give what was answered."""
        told = {}
        for together in (True, False):
            with undone(self.street) as uow:
                before = uow.connection.scalar(LAST_RECORD)
                answers = [
                    apply_acts(uow, self.terminal, self.street.clock.now(), each, together=together)
                    for each in batches
                ]
                uow.flush()
                uow.connection.execute(text("set constraints all immediate"))
                told[together] = (found(uow, before, answers), answers)
        assert told[True][0] == told[False][0]
        answered: list[list[ActResult]] = told[True][1]
        return answered


def found(uow: UnitOfWork, before: int, answers: object) -> dict[str, Any]:
    """Give all that stands, with names in place of what is drawn anew each time."""

    def rows(query: str, **values: object) -> list[dict[str, Any]]:
        return [dict(each) for each in uow.connection.execute(text(query), values).mappings()]

    stays = rows(
        "select s.*, b.label from parking.parking_session s left join parking.bay b"
        " on b.id = s.bay_id order by b.label, s.opened_at, s.opened_evidence"
    )
    names = {
        str(each["id"]): f"{each['label']}/{each['opened_at']}/{each['opened_evidence']}"
        for each in stays
    }
    new = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{21}"

    def named(value: object) -> str:
        return re.sub(new, lambda drawn: names.get(drawn[0], drawn[0]), str(value))

    def sorted_of(query: str, *left_out: str, **values: object) -> list[str]:
        return sorted(
            named({key: kept for key, kept in row.items() if key not in left_out})
            for row in rows(query, **values)
        )

    # Vehicles are made anew in each try: their kept plates stand for them.
    for row in rows("select id, masked, kind from vault.vehicle"):
        names[str(row["id"])] = f"{row['kind']} {row['masked']}"
    for row in rows("select * from payments.bill"):
        stay = names.get(str(row["session_id"]), row["session_id"])
        names[str(row["id"])] = f"bill of {stay} to {row['covers_until_at']}"
    return {
        "answers": named(answers),
        "stays": [named(sorted(each.items())) for each in stays],
        "evidence": sorted_of("select * from parking.stay_evidence", "id"),
        "record": sorted_of("select * from audit.record where id > :before", "id", before=before),
        "jobs": sorted(
            re.sub(r"'event_id': '[^']*'", "", named((each["task_name"], event)))
            for each in rows("select task_name, args from procrastinate_jobs")
            for event in each["args"].get("events", [each["args"]])
        ),
        "acts": sorted_of("select * from terminals.act"),
        "counts": sorted_of("select * from terminals.act_count"),
        "sign-ins": sorted_of("select * from terminals.sign_in"),
        "adjustments": sorted_of("select * from payments.adjustment", "id"),
        "bills": sorted_of("select * from payments.bill"),
        "payments": sorted_of("select * from payments.payment"),
        "entries": sorted_of("select * from payments.entry", "id"),
        "shifts": sorted_of("select * from payments.shift"),
        "postings": sorted_of("select account, minor, currency, at from payments.posting"),
    }


@pytest.fixture
def round_(street: Street) -> Round:
    street.clock.advance(4 * 3600)
    with street.database.unit_of_work() as uow:
        account_id = create_account(uow, "attendant-li", "Li", ["attendant"], PASSWORD)
        terminal = terminals.register(uow, SYSTEM, "PDA", DISTRICT).terminal
        act_store.begin_sign_in(uow.connection, uuid7(), terminal.id, account_id, at(-600))
        bays = _more_bays(uow, street)
        _stays(uow, bays)
        bills = [_bill(uow, each) for each in (DISTRICT, DISTRICT, WEST)]
    street.publish({**TARIFF, "schedules": TARIFF["schedules"]}, 60)
    return Round(street, terminal, account_id, bays, bills)


def _more_bays(uow: UnitOfWork, street: Street) -> list[BayId]:
    """Add bays far apart, one behind a gate, one in another district; give all of them."""
    kinds: tuple[tuple[Literal["kerb", "garage"], DistrictCode, int], ...] = (
        ("kerb", DISTRICT, 3),
        ("garage", DISTRICT, 2),
        ("kerb", WEST, 1),
    )
    bays = [BayId(each.id) for each in street.bays]
    for number, (kind, district, count) in enumerate(kinds):
        home = replace(
            street.facility,
            id=FacilityId(uuid7()),
            code=f"M-{number}",
            kind=kind,
            district=district,
            tariff_id=None if number == 2 else street.facility.tariff_id,
        )
        add_facilities(uow.connection, [home])
        more = [
            Bay(
                home.id,
                district,
                f"{'BGW'[number]}{at_}",
                "standard",
                Position(120.2 + number / 10, 30.2 + at_ / 100),
                id=BayId(uuid7()),
            )
            for at_ in range(count)
        ]
        add_bays(uow.connection, more)
        bays += [BayId(each.id) for each in more]
    return bays


def _stays(uow: UnitOfWork, bays: list[BayId]) -> None:
    """Let sensors have seen some: one open, one just over, one long over, one behind the gate."""
    seen = [(0, 30, None), (3, 100, 230), (3, 10, 40), (6, 20, None), (7, 60, None), (1, 0, 50)]
    add_stays(
        uow.connection,
        [
            (
                bays[bay],
                BayStay(
                    at(opened), f"{bay}-{opened}", closed_at=None if closed is None else at(closed)
                ),
            )
            for bay, opened, closed in seen
        ],
    )
    garage = uow.connection.execute(
        text("select facility_id from parking.bay where id = :id"), {"id": bays[6]}
    ).scalar_one()
    inside = VehicleId(uuid7())
    uow.connection.execute(
        insert(parking_session).values(
            id=ParkingSessionId(uuid7()),
            facility_id=garage,
            district=DISTRICT,
            opened_at=at(15),
            state="open",
            opened_evidence="gate",
            admitted_as=inside,
        )
    )


def _bill(uow: UnitOfWork, district: DistrictCode) -> str:
    charge = Charge(
        session_id=ParkingSessionId(uuid7()),
        vehicle_id=VehicleId(uuid7()),
        facility_id=FacilityId(uuid7()),
        district=district,
        operator_id=OperatorId(uuid7()),
        revenue_nature="commercial",
        tariff_version_id=TariffVersionId(uuid7()),
        amount=Money(900, "CNY"),
        lines=({"minor": 900, "units": 1},),
    )
    return str(issue_bill(uow, charge, "test").id)


def detail_of(round_: Round, drawn: tuple[Any, ...]) -> dict[str, Any]:
    """Give what a drawn act needs."""
    kind, bay, other, _plate, _minute, word = drawn
    bays = [str(each) for each in (*round_.bays, BayId(UUID(int=1)))]
    bills = [*round_.bills, str(UUID(int=2)), "no bill"]
    here, to = {"bay_id": bays[bay]}, {"to_bay_id": bays[other]}
    handed = {"tendered_minor": 900 + 100 * word, "currency": "CNY" if other else "EUR"}
    found: dict[ActKind, dict[str, Any]] = {
        ActKind.MOVE: {**here, **to, "reason": "the wrong bay"},
        ActKind.END: {**here, "reason": "left before my eyes" if word else "x"},
        ActKind.SPLIT: {
            **here,
            "minutes_before": 7 * other,
            "vehicle_left": bool(word),
            "reason": "two cars, not one",
        },
        ActKind.SWAP: {**here, "reason": "another car stands there now"},
        ActKind.JOIN: {**here, **to, "reason": "one car in both"},
        ActKind.SET_ASIDE: {
            **here,
            "reason": "a bin stands there",
            "what": "object" if word else "bin",
        },
        ActKind.EXEMPT: {**here, "exempt": "sensor-fault" if word else "street-works"},
        ActKind.REPORT: {**here, "what": "other", "note": "dark"},
        ActKind.CASH: {"bill_id": bills[bay % 5], **handed},
        ActKind.AHEAD: {**here, "amount_minor": 100 * other, "minutes_ahead": 60 * word, **handed},
        ActKind.ESCAPE: {"bill_id": bills[bay % 5]} if word else here,
        ActKind.SHIFT_BEGIN: {"place": "Riverside Road" if word else " "},
        ActKind.SHIFT_PAUSE: {},
        ActKind.SHIFT_RESUME: {},
        ActKind.SHIFT_COUNT: {"pieces": {"100": other, "50" if word else "7": 1}},
        ActKind.SHIFT_EXPLAIN: {"shift_id": str(UUID(int=3)), "note": "a coin fell"},
        ActKind.CASH_GIVE: {"amount_minor": 100 * other, "currency": "CNY"},
        ActKind.CASH_TAKE: {"amount_minor": 100, "currency": "CNY", "move_id": str(UUID(int=4))},
        ActKind.SIGN_OUT: {},
    }
    return found.get(kind, here)


def acts_of(round_: Round, drawn: Sequence[tuple[Any, ...]], first: int) -> list[ActIn]:
    """Give acts at different instants of what was drawn."""
    made = []
    for at_, each in enumerate(drawn):
        kind, _, _, plate, minute, _ = each
        sequence = first + at_
        said = round_.street.clock.now() - timedelta(minutes=minute, microseconds=sequence)
        made.append(
            ActIn(
                id=UUID(int=(4 << 76) + (2 << 62) + sequence),
                sequence=sequence,
                kind=kind,
                account_id=NOBODY if minute == 3 else round_.account_id,
                device_at=said,
                offset_ms=0,
                detail=detail_of(round_, each),
                plate=PLATES[plate] if kind in NAMING else None,
                plate_kind=KINDS[plate] if kind in NAMING else None,
            )
        )
    return made


ACTS = st.lists(
    st.tuples(
        st.sampled_from([ActKind.PLATE, ActKind.PLATE, ActKind.PLATE, ActKind.END, *ActKind]),
        st.integers(0, 9),
        st.integers(0, 9),
        st.integers(0, len(PLATES) - 1),
        st.one_of(st.integers(0, 230), st.sampled_from([3, 8 * 24 * 60])),
        st.integers(0, 1),
    ),
    min_size=1,
    max_size=14,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ACTS, ACTS)
def test_told_together_or_each_alone_acts_leave_the_same(
    round_: Round, one: list[tuple[Any, ...]], two: list[tuple[Any, ...]]
) -> None:
    batches = [acts_of(round_, one, 1), acts_of(round_, two, 1 + len(one))]
    # The second batch tells some of the first one's again.
    round_.compare([batches[0], batches[0][-2:] + batches[1]])


def plates(round_: Round, *bays_and_plates: tuple[int, int]) -> list[ActIn]:
    return acts_of(
        round_, [(ActKind.PLATE, bay, 0, plate, 30, 1) for bay, plate in bays_and_plates], 1
    )


def test_a_vehicle_over_two_bays_or_inside_a_gate_goes_by_itself_in_its_place(
    round_: Round,
) -> None:
    (answers,) = round_.compare([plates(round_, (4, 1), (0, 0), (2, 0), (2, 1), (5, 1), (3, 0))])
    assert [each.result for each in answers] == ["created"] * 6
    assert answers[2].effect is not None
    assert answers[2].effect["warnings"] == ["attach.warning.straddles"]


def test_a_vehicle_over_two_bays_is_one_also_where_the_batch_names_one_of_them(
    round_: Round,
) -> None:
    one, two = acts_of(round_, [(ActKind.PLATE, bay, 0, 0, 30, 1) for bay in (0, 2)], 1)
    _, (answer,) = round_.compare([[one], [two]])
    assert answer.result == "created"
    assert answer.effect is not None
    assert answer.effect["warnings"] == ["attach.warning.straddles"]


def test_where_a_constraint_says_no_to_all_each_goes_by_itself(
    round_: Round, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []
    written: Callable[..., None] = round_book.add

    def add_meanwhile(connection: Any, begun: Any) -> None:
        # What another transaction put into the bay between reading and writing.
        taken.append(len(begun))
        connection.execute(
            text(
                "insert into parking.parking_session (id, bay_id, bay_number, facility_id,"
                " district, opened_at, state, opened_evidence) select gen_random_uuid(), id,"
                " number, facility_id, district, :at, 'open', 'sensor' from parking.bay"
                " where id = :bay"
            ),
            {"bay": round_.bays[4], "at": at(200)},
        )
        written(connection, begun)

    acts = plates(round_, (4, 0), (5, 1))
    monkeypatch.setattr(round_book, "add", add_meanwhile)
    with undone(round_.street) as uow:
        answers = apply_acts(uow, round_.terminal, round_.street.clock.now(), acts)
        # The savepoint took the intruder back with the rest: both stays begin by themselves.
        assert [each.result for each in answers] == ["created", "created"]
    assert taken == [2]


@pytest.fixture
def statements(round_: Round) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_of: Any) -> None:
        seen.append(statement)

    event.listen(round_.street.database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(round_.street.database.engine, "before_cursor_execute", note)


def test_a_longer_batch_takes_no_more_statements(round_: Round, statements: list[str]) -> None:
    taken = []
    for times in (1, 20):
        drawn = [(ActKind.PLATE, 4, 0, 0, 30, 1), (ActKind.CASH, 0, 1, 0, 30, 1)]
        drawn += [(ActKind.REPORT, 4, 0, 0, 20, 1)] * times + [(ActKind.END, 4, 0, 0, 10, 1)]
        with undone(round_.street) as uow:
            statements.clear()
            acts = acts_of(round_, drawn, 1)
            answers = apply_acts(uow, round_.terminal, round_.street.clock.now(), acts)
            taken.append(len(statements))
            assert {each.result for each in answers} == {"created"}
    assert taken[0] == taken[1] < 40


def test_a_busy_database_lets_no_act_be_taken_as_refused(
    round_: Round, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_of: Any) -> None:
        raise Unavailable("a concurrent change stood in the way")

    monkeypatch.setattr(CashRound, "write", locked)
    with pytest.raises(Unavailable), round_.street.database.unit_of_work() as uow:
        apply_acts(uow, round_.terminal, round_.street.clock.now(), plates(round_, (4, 0)))
    with round_.street.database.read() as connection:
        assert connection.scalar(text("select count(*) from terminals.act")) == 0
