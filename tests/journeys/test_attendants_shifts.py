"""A shift balances by the ledger: whatever was taken, handed over, miscounted or told late."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from city.errors import CityError, Conflict, Forbidden, Invalid, NotFound
from city.identifiers import AccountId, OperatorId, uuid7
from city.money import Money
from city.people.accounts import create_account
from city.people.actors import Actor
from city.people.roles import Role
from journeys import keep_shifts
from journeys.keep_shifts import Receiver
from payments import shifts
from payments.rules.cash_moves import CashMove, MoveState
from payments.rules.ledger import (
    Account,
    AccountKind,
    Entry,
    EntryKind,
    Posting,
    cash_of,
    over_short_of,
    receivable_of,
    till_of,
)
from payments.rules.shifts import FACES_MINOR, Shift, ShiftState
from payments.store import ledger
from tests.journeys.conftest import DISTRICT

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from city.time import FixedClock
    from city.works.database import Database, UnitOfWork

T = TypeVar("T")
OWED = receivable_of(OperatorId(uuid7()))
PASSWORD = "correct horse 1 battery"


def cny(minor: int) -> Money:
    return Money(minor, "CNY")


def in_pieces(minor: int) -> dict[int, int]:
    """Lay a sum out in notes and coins, the largest first."""
    laid: dict[int, int] = {}
    for face in FACES_MINOR:
        laid[face], minor = divmod(minor, face)
    return laid


def person(name: str, role: Role, account_id: AccountId | None = None) -> Actor:
    known = account_id or AccountId(uuid7())
    return Actor("person", str(known), known, frozenset({role}), name)


class Street:
    """Two attendants and their office, over one database."""

    def __init__(self, database: Database, clock: FixedClock) -> None:
        self.database, self.clock = database, clock
        self.li = person("li", Role.ATTENDANT, self._account("li"))
        self.wang = person("wang", Role.ATTENDANT, self._account("wang"))
        self.office = person("office", Role.OPERATOR)

    def _account(self, login: str) -> AccountId:
        name = f"{login}-{uuid7().hex[-8:]}"
        with self.database.unit_of_work() as uow:
            return create_account(uow, name, login, ["attendant"], PASSWORD)

    def begin(self, who: Actor) -> Shift:
        return self.do(lambda uow: keep_shifts.begin_shift(uow, who, uuid7(), DISTRICT, "Jiefang"))

    def takes(self, who: Actor, minor: int, ago: timedelta = timedelta(0)) -> None:
        """Have somebody be paid cash, which may come to be known later than it was."""
        entry = Entry(
            uuid7(),
            self.clock.now() - ago,
            EntryKind.PAYMENT,
            uuid7(),
            (Posting(cash_of(who.subject), cny(minor)), Posting(OWED, cny(-minor))),
            "cash taken",
            who.subject,
        )
        self.do(lambda uow: ledger.add_entry(uow.connection, entry))

    def count(self, who: Actor, of: Shift, minor: int, note: str = "") -> Shift:
        return self.do(lambda uow: keep_shifts.count_shift(uow, who, of.id, in_pieces(minor), note))

    def approve(self, of: Shift, answer: str = "", by: Actor | None = None) -> Shift:
        return self.do(lambda uow: keep_shifts.approve_shift(uow, by or self.office, of.id, answer))

    def offer(self, who: Actor, minor: int, to: Actor | None = None) -> CashMove:
        receiver = Receiver() if to is None else Receiver(to.account_id)
        return self.do(
            lambda uow: keep_shifts.offer_cash(
                uow, who, uuid7(), receiver, cny(minor), district=DISTRICT
            )
        )

    def accept(self, who: Actor, offered: CashMove, minor: int | None = None) -> CashMove:
        counted = offered.amount if minor is None else cny(minor)
        return self.do(lambda uow: keep_shifts.accept_cash(uow, who, offered.id, counted))

    def holds(self, account: Account) -> int:
        with self.database.read() as connection:
            return ledger.balance(connection, account).get("CNY", cny(0)).minor

    def carries(self, who: Actor) -> int:
        return self.holds(cash_of(who.subject))

    def do(self, work: Callable[[UnitOfWork], T]) -> T:
        self.clock.advance(1)
        with self.database.unit_of_work() as uow:
            return work(uow)


@pytest.fixture
def street(database: Database, clock: FixedClock) -> Street:
    return Street(database, clock)


def test_what_is_counted_right_is_approved_without_a_word(street: Street) -> None:
    shift = street.begin(street.li)
    street.takes(street.li, 12_50)
    done = street.count(street.li, shift, 12_50)
    assert (done.state, done.difference) == (ShiftState.COUNTED, cny(0))
    assert street.approve(done).state is ShiftState.APPROVED
    assert street.holds(over_short_of(street.li.subject)) == 0


def test_a_shortage_is_posted_at_the_count_and_needs_an_answer(street: Street) -> None:
    shift = street.begin(street.li)
    street.takes(street.li, 50_00)
    done = street.count(street.li, shift, 45_00, "gave change twice")
    assert done.difference == cny(-5_00)
    assert street.carries(street.li) == 45_00
    assert street.holds(over_short_of(street.li.subject)) == 5_00
    with pytest.raises(Invalid, match="why the difference"):
        street.approve(done)
    assert street.approve(done, "first time, talked about").answer


def test_cash_told_after_the_count_is_settled_by_the_approval(street: Street) -> None:
    shift = street.begin(street.li)
    street.takes(street.li, 20_00)
    # Ten yuan were taken on a terminal without a line: they lie in the bag, not in the ledger.
    done = street.count(street.li, shift, 30_00)
    assert done.difference == cny(10_00)
    street.takes(street.li, 10_00, ago=timedelta(seconds=2))
    assert street.carries(street.li) == 40_00
    approved = street.approve(done)
    assert (approved.late, approved.difference) == (cny(10_00), cny(0))
    assert street.carries(street.li) == 30_00
    assert street.holds(over_short_of(street.li.subject)) == 0
    with pytest.raises(Conflict):
        street.approve(approved)


def test_what_is_known_later_still_is_settled_by_another_approval_and_moves_no_later_shift(
    street: Street,
) -> None:
    first = street.begin(street.li)
    street.takes(street.li, 20_00)
    first_told_at = street.clock.now()
    first = street.approve(street.count(street.li, first, 25_00), "will be told")
    second = street.begin(street.li)
    assert second.carried == cny(25_00)
    street.takes(street.li, 7_00)
    second = street.count(street.li, second, 32_00)
    street.takes(street.li, 5_00, ago=street.clock.now() - first_told_at)
    with pytest.raises(Conflict, match="before it"):
        street.approve(second)
    assert street.approve(first).difference == cny(0)
    assert street.approve(second).difference == cny(0)
    assert street.carries(street.li) == 32_00


def test_nobody_approves_their_own_shift_nor_one_of_another_district(street: Street) -> None:
    both = replace(street.li, roles=frozenset({Role.ATTENDANT, Role.OPERATOR}))
    done = street.count(street.li, street.begin(street.li), 0)
    with pytest.raises(Forbidden):
        street.approve(done, by=both)
    with pytest.raises(NotFound):
        street.approve(done, by=replace(street.office, districts=frozenset({"9999"})))
    with pytest.raises(Forbidden):
        street.approve(done, by=street.wang)


def test_an_attendant_has_one_open_shift_and_only_they_end_it(street: Street) -> None:
    shift = street.begin(street.li)
    with pytest.raises(Conflict, match="open already"):
        street.begin(street.li)
    with pytest.raises(NotFound):
        street.count(street.wang, shift, 0)
    street.count(street.li, shift, 0)
    with pytest.raises(Conflict, match="over"):
        street.count(street.li, shift, 0)
    assert street.begin(street.li).id != shift.id


def test_cash_changes_hands_when_who_gets_it_has_counted_it(street: Street) -> None:
    street.takes(street.li, 100_00)
    offered = street.offer(street.li, 60_00, street.wang)
    assert street.carries(street.wang) == 0
    with pytest.raises(Conflict, match="not what was offered"):
        street.accept(street.wang, offered, 59_00)
    with pytest.raises(NotFound):
        street.accept(street.office, offered)
    assert street.accept(street.wang, offered).state is MoveState.ACCEPTED
    assert (street.carries(street.li), street.carries(street.wang)) == (40_00, 60_00)
    with pytest.raises(Conflict):
        street.accept(street.wang, offered)


def test_a_day_goes_from_float_to_bank(street: Street) -> None:
    li = street.li
    assert li.account_id is not None
    account_id = li.account_id
    move_id = uuid7()
    given = street.do(
        lambda uow: keep_shifts.give_float(
            uow, street.office, move_id, account_id, cny(200_00), district=DISTRICT
        )
    )
    street.accept(li, given)
    shift = street.begin(li)
    assert shift.carried == cny(200_00)
    street.takes(li, 88_00)
    turned_in = street.offer(li, 288_00)
    with pytest.raises(Conflict, match="nobody has counted"):
        street.count(li, shift, 0)
    street.accept(street.office, turned_in)
    street.approve(street.count(li, shift, 0))
    deposit = uuid7()
    for _ in range(2):
        street.do(
            lambda uow: keep_shifts.deposit_cash(
                uow, street.office, deposit, DISTRICT, cny(88_00), slip="ICBC 0042"
            )
        )
    with pytest.raises(Conflict, match="slip"):
        street.do(
            lambda uow: keep_shifts.deposit_cash(
                uow, street.office, uuid7(), DISTRICT, cny(1_00), slip="ICBC 0042"
            )
        )
    assert street.holds(till_of(DISTRICT)) == 0
    assert street.holds(Account(AccountKind.BANK, "cash")) == 88_00
    assert street.carries(li) == 0
    with street.database.read() as connection:
        found = shifts.standing(connection, shifts.find(connection, shift.id))
    assert {(each.kind, each.amount.minor) for each in found.sums} == {
        (EntryKind.PAYMENT, 88_00),
        (EntryKind.HAND_OVER, -288_00),
    }


def test_offers_are_refused_with_a_reason_and_taken_back_by_their_giver(street: Street) -> None:
    offered = street.offer(street.li, 5_00, street.wang)
    with pytest.raises(Invalid):
        street.do(lambda uow: keep_shifts.refuse_cash(uow, street.wang, offered.id, " "))
    street.do(lambda uow: keep_shifts.refuse_cash(uow, street.wang, offered.id, "only 4 there"))
    other = street.offer(street.li, 5_00, street.wang)
    with pytest.raises(NotFound):
        street.do(lambda uow: keep_shifts.withdraw_cash(uow, street.wang, other.id))
    street.do(lambda uow: keep_shifts.withdraw_cash(uow, street.li, other.id))
    with pytest.raises(Conflict):
        street.accept(street.wang, other)
    for wrong in (0, -5, 10_000_001):
        with pytest.raises(Invalid):
            street.offer(street.li, wrong, street.wang)
    with pytest.raises(Invalid):
        street.offer(street.li, 5_00, street.li)
    with pytest.raises(NotFound, match="no such attendant"):
        street.offer(street.li, 5_00, street.office)


@pytest.mark.parametrize("pieces", [{3: 1}, {100: -1}, {100: 100_001}])
def test_what_is_no_money_is_not_counted(street: Street, pieces: dict[int, int]) -> None:
    shift = street.begin(street.li)
    with pytest.raises(Invalid):
        street.do(lambda uow: keep_shifts.count_shift(uow, street.li, shift.id, pieces, ""))


def test_one_offer_that_two_accept_at_once_moves_once(street: Street) -> None:
    street.takes(street.li, 80_00)
    offered = street.offer(street.li, 80_00)
    second = person("office-2", Role.FINANCE)

    def accept(who: Actor) -> bool:
        try:
            with street.database.unit_of_work() as uow:
                keep_shifts.accept_cash(uow, who, offered.id, offered.amount)
        except CityError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(accept, [street.office, second])) == [False, True]
    assert (street.carries(street.li), street.holds(till_of(DISTRICT))) == (0, 80_00)


def test_the_database_takes_no_cash_without_its_posting(street: Street) -> None:
    offered = street.offer(street.li, 9_00, street.wang)
    with (
        pytest.raises(IntegrityError, match="posting alone"),
        street.database.unit_of_work() as uow,
    ):
        uow.connection.execute(
            text(
                "update payments.cash_move set state = 'accepted', ended_at = offered_at,"
                " ended_by = 'x' where id = :id"
            ),
            {"id": offered.id},
        )
    shift = street.begin(street.wang)
    with (
        pytest.raises(IntegrityError, match="posting alone"),
        street.database.unit_of_work() as uow,
    ):
        uow.connection.execute(
            text(
                "update payments.shift set state = 'counted', counted_at = opened_at,"
                " counted_minor = 300, expected_minor = 0 where id = :id"
            ),
            {"id": shift.id},
        )


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    takings=st.lists(
        st.tuples(st.integers(1, 50_000), st.sampled_from(["now", "late"])), max_size=8
    ),
    missing=st.integers(-300, 300),
    handed=st.integers(0, 20_000),
)
def test_counted_and_late_always_leave_what_is_in_the_bag(
    street: Street, takings: list[tuple[int, str]], missing: int, handed: int
) -> None:
    """Whatever order things come to be known in: in the end the ledger holds the counted cash."""
    who = person("hand", Role.ATTENDANT)
    shift = street.begin(who)
    began = street.clock.now()
    for minor, when in takings:
        if when == "now":
            street.takes(who, minor)
    due = sum(minor for minor, _ in takings)
    bag = max(0, due + missing)
    if 0 < handed <= bag:
        street.accept(street.office, street.offer(who, handed))
        bag, due = bag - handed, due - handed
    shift = street.count(who, shift, bag)
    for minor, when in takings:
        if when == "late":
            street.takes(who, minor, ago=street.clock.now() - began)
    approved = street.approve(shift, "looked into")
    assert street.carries(who) == bag
    assert approved.difference is not None
    assert approved.difference.minor == -street.holds(over_short_of(who.subject))
    assert approved.difference.minor == bag - due


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    gave=st.integers(0, 9),
    got=st.integers(0, 9),
    counted=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    before=st.integers(0, 9),
    told=st.permutations("AABBB"),
)
def test_what_both_say_of_a_hand_over_leaves_each_bag_right_in_whatever_order_it_is_told(
    street: Street, gave: int, got: int, counted: tuple[int, int], before: int, told: list[str]
) -> None:
    """Both were without a line: each tells their own in order, the other's comes in between.

    The receiver was counted once before, perhaps after the giver's word.
    """
    assume(before < got)
    # Where both were counted between both words, it was in neither bag: the giver's next shift has
    # it over.
    assume(not (gave <= before and gave + counted[0] < got))
    street = Street(street.database, street.clock)
    start_at = street.clock.now()
    street.clock.advance(3600)

    def at(minute: int, moment: int = 0) -> datetime:
        return start_at + timedelta(minutes=minute + 1, milliseconds=moment)

    shifts_of: list[Shift] = []

    def begins(who: Actor, when: datetime) -> None:
        place = (DISTRICT, "Jiefang")
        shifts_of.append(
            street.do(lambda uow: keep_shifts.begin_shift(uow, who, uuid7(), *place, when))
        )

    def ends(who: Actor, minor: int, when: datetime) -> None:
        def count(uow: UnitOfWork) -> Shift:
            present = keep_shifts.open_shift(uow, who)
            return keep_shifts.count_shift(uow, who, present.id, in_pieces(minor), "", when)

        street.do(count)

    def says(who: Actor, other: Actor, when: datetime) -> None:
        assert other.account_id is not None
        if who is street.li:
            to = Receiver(other.account_id)
            street.do(
                lambda uow: keep_shifts.offer_cash(
                    uow, who, uuid7(), to, cny(5_00), district=DISTRICT, at=when
                )
            )
        else:
            giver = other.account_id
            street.do(
                lambda uow: keep_shifts.claim_cash(
                    uow, who, uuid7(), giver, cny(5_00), district=DISTRICT, at=when
                )
            )

    li, wang = street.li, street.wang
    street.takes(li, 7_00, ago=street.clock.now() - start_at)
    begins(li, start_at)
    begins(wang, start_at)

    def starts_anew() -> None:
        ends(wang, 0, at(before, 2))
        begins(wang, at(before, 2))

    steps: dict[str, list[Callable[[], None]]] = {
        "A": [
            lambda: says(li, wang, at(gave)),
            lambda: ends(li, 2_00, at(gave + counted[0], 1)),
        ],
        "B": [
            starts_anew,
            lambda: says(wang, li, at(got)),
            lambda: ends(wang, 5_00, at(got + counted[1], 1)),
        ],
    }
    for whose in told:
        steps[whose].pop(0)()
    for each in sorted(shifts_of, key=lambda each: each.opened_at):
        assert street.approve(each, "looked into").difference == cny(0)
    assert (street.carries(li), street.carries(wang)) == (2_00, 5_00)
