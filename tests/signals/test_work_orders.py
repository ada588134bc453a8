"""Work orders: deadlines, who may do what next, what lasts too long, photos, and their history."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import exc, text

from city.errors import CityError, Conflict, Forbidden, Invalid, NotFound
from city.identifiers import AccountId, uuid7
from city.people import services as people
from city.people.actors import SYSTEM, Actor
from city.people.roles import Role
from city.time import FixedClock
from city.works.database import Database
from signals.rules.live.alarms import Code, Level, Sign
from signals.rules.maintenance.orders import ACTIVE, FROM, Act, Person, Progress, State, after
from signals.rules.maintenance.policy import (
    BY_CODE,
    STANDARD,
    Kind,
    Limits,
    Policy,
    Priority,
    policy_from_json,
    policy_json,
)
from signals.rules.maintenance.uploads import LARGEST, Format, format_of
from signals.services import networks
from signals.services import work_orders as service
from signals.store import alarms as alarm_store
from signals.store import work_orders as store
from tests.signals import crossroads

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from signals.store.work_orders import WorkOrder

EIGHT = datetime(2026, 3, 2, tzinfo=UTC)
ANNA, BO, CHEN = (Person(each, each.title()) for each in ("anna", "bo", "chen"))
LIMITS = Limits(30, 240, 1440)
RAISED = Progress(State.OPEN, EIGHT, LIMITS)
JPEG = b"\xff\xd8\xff\xe0" + bytes(40) + b"\xff\xd9"


def at(minutes: float) -> datetime:
    return EIGHT + timedelta(minutes=minutes)


def test_an_order_is_taken_done_given_back_done_again_and_looked_over_by_another() -> None:
    taken = after(RAISED, ANNA, Act.TAKE, at(12))
    done = after(taken, ANNA, Act.DONE, at(60), "new lamp")
    with pytest.raises(Forbidden, match="does not look it over"):
        after(done, ANNA, Act.CHECK, at(61))
    again = after(done, BO, Act.GIVE_BACK, at(90), "it flickers")
    assert (again.state, again.assignee, again.mended_s) == (State.TAKEN, ANNA, None)
    over = after(after(again, ANNA, Act.DONE, at(120), "new socket"), BO, Act.CHECK, at(130))
    assert (over.state, over.due_at) == (State.CHECKED, None)
    assert (over.responded_s, over.mended_s) == (12 * 60, 120 * 60)


def test_each_step_has_its_own_deadline() -> None:
    assert RAISED.due_at == at(30)
    taken = after(RAISED, ANNA, Act.TAKE, at(12))
    assert taken.due_at == at(240)
    # Handed back, it was answered all the same: what counts now is that it be mended.
    assert after(taken, ANNA, Act.HAND_BACK, at(20), "no ladder").due_at == at(240)
    done = after(taken, ANNA, Act.DONE, at(60), "new lamp")
    assert done.due_at == at(60 + 1440)
    assert RAISED.overdue_s(at(29)) == 0
    assert RAISED.overdue_s(at(31)) == 60


def test_what_is_in_anothers_hands_is_not_taken_or_finished() -> None:
    taken = after(RAISED, ANNA, Act.TAKE, at(1))
    for deed in (Act.DONE, Act.HAND_BACK):
        with pytest.raises(Forbidden, match="another's hands"):
            after(taken, BO, deed, at(2), "words")
    with pytest.raises(Conflict, match="the order is taken"):
        after(taken, BO, Act.TAKE, at(2))
    assigned = after(taken, CHEN, Act.ASSIGN, at(3), other=BO)
    with pytest.raises(Forbidden, match="another's hands"):
        after(assigned, ANNA, Act.TAKE, at(4))
    # The name that somebody goes by may change.
    assert after(assigned, replace(BO, name="Robert"), Act.TAKE, at(4)).state is State.TAKEN
    with pytest.raises(Invalid, match="say why"):
        after(taken, ANNA, Act.DONE, at(5), "  ")
    with pytest.raises(Invalid, match="name who"):
        after(RAISED, CHEN, Act.ASSIGN, at(5))


deeds = st.tuples(
    st.sampled_from(list(Act)), st.sampled_from([ANNA, BO, CHEN]), st.integers(0, 300)
)


@given(st.lists(deeds, max_size=25))
def test_however_people_act_an_order_stays_whole(told: list[tuple[Act, Person, int]]) -> None:
    progress, now = RAISED, EIGHT
    for deed, who, minutes in told:
        now += timedelta(minutes=minutes)
        before = progress
        try:
            progress = after(progress, who, deed, now, "words", BO)
        except CityError:
            assert progress == before
            continue
        assert before.state in FROM[deed]
        assert (progress.due_at is None) is (progress.state not in ACTIVE)
        assert (progress.ended_at is None) is (progress.state in ACTIVE)
        if progress.state is State.CHECKED:
            assert progress.done_by is not None
            assert progress.ended_by is not None
            assert progress.done_by.subject != progress.ended_by.subject
        if progress.state is State.TAKEN:
            assert progress.assignee is not None
        # Once answered it is answered, and never before it was raised.
        if before.taken_at is not None:
            assert progress.taken_at == before.taken_at
        for seconds in (progress.responded_s, progress.mended_s):
            assert seconds is None or seconds >= 0


def test_a_policy_is_kept_whole_and_refused_where_it_is_none() -> None:
    assert policy_from_json(policy_json(STANDARD)) == STANDARD
    assert set(BY_CODE) == set(Code)
    with pytest.raises(Invalid, match="no limits for urgent"):
        Policy({Priority.HIGH: LIMITS, Priority.NORMAL: LIMITS, Priority.LOW: LIMITS}, {})
    with pytest.raises(Invalid, match="before it is taken"):
        Limits(60, 30, 10)
    documents: list[dict[str, Any]] = [
        {},
        {"limits": {}, "lasting": {"no_such": {}}},
        {"limits": 3, "lasting": {}},
    ]
    for broken in documents:
        with pytest.raises(Invalid):
            policy_from_json(broken)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (JPEG, Format.JPEG),
        (b"\x89PNG\r\n\x1a\n" + bytes(20) + b"IEND\xaeB`\x82", Format.PNG),
        (b"%PDF-1.7\n" + bytes(20) + b"\n%%EOF\n", Format.PDF),
    ],
)
def test_a_file_is_what_its_content_says(content: bytes, kind: Format) -> None:
    assert format_of(content) is kind
    # As much of it as came before the line broke.
    with pytest.raises(Invalid, match="cut off"):
        format_of(content[:12])


@pytest.mark.parametrize(
    "content", [b"", b"<svg onload='x'>", b"MZ\x90\x00", JPEG + bytes(LARGEST)]
)
def test_what_is_no_picture_and_no_document_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid):
        format_of(content)
    with pytest.raises(Invalid, match="JPEG or PNG picture"):
        format_of(b"%PDF-1.7\n%%EOF", photo=True)


# --- with a database -----------------------------------------------------------------------------


@dataclass
class Shop:
    """A network on record, and the people who keep it alive."""

    database: Database
    wall: FixedClock
    network_id: UUID
    engineer: Actor
    anna: Actor
    bo: Actor

    def hand(self, priority: Priority = Priority.NORMAL, what: str = "door ajar") -> WorkOrder:
        with self.database.unit_of_work() as uow:
            return service.raise_by_hand(
                uow,
                self.engineer,
                self.network_id,
                crossroads.NAME,
                kind=Kind.CABINET,
                priority=priority,
                what=what,
            )

    def act(self, actor: Actor, order_id: UUID, deed: Act, **more: str) -> WorkOrder:
        with self.database.unit_of_work() as uow:
            return service.act(uow, actor, order_id, deed, **more)

    def alarm(self, code: Code, subject: str = "") -> UUID:
        facts = {"device": subject}
        sign = Sign(crossroads.NAME, code, subject, Level.BAD, 4, 3, self.wall.now(), facts)
        with self.database.unit_of_work() as uow:
            return alarm_store.raise_(uow.connection, self.network_id, [sign], self.wall.now())[0]

    def clear(self, alarm_id: UUID) -> None:
        with self.database.unit_of_work() as uow:
            alarm_store.clear(uow.connection, [alarm_id], self.wall.now())

    def listed(self, view: store.View = "active") -> list[WorkOrder]:
        with self.database.read() as connection:
            return store.orders(connection, view, limit=99)


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    wall = FixedClock(EIGHT)
    database = Database(database_url, clock=wall, wall=wall)
    plan = crossroads.plan(crossroads.case_of(crossroads.network()))
    with database.unit_of_work() as uow:
        found = []
        for login, role in (
            ("eng", Role.ENGINEER),
            ("anna", Role.MAINTAINER),
            ("ben", Role.MAINTAINER),
        ):
            account = people.create_account(
                uow, login, login.title(), [role], "a long password 1", by=SYSTEM
            )
            found.append(
                Actor("person", str(account), AccountId(account), frozenset({role}), login.title())
            )
        home = networks.record_network(
            uow, found[0], "cross", ("十字", "Cross"), crossroads.network(), [plan]
        )
    yield Shop(database, wall, home.id, *found)
    database.close()


def test_orders_stand_by_when_they_are_due_and_pages_lose_none(shop: Shop) -> None:
    low, urgent = shop.hand(Priority.LOW), shop.hand(Priority.URGENT)
    normal = shop.hand()
    assert [each.id for each in shop.listed()] == [urgent.id, normal.id, low.id]
    with shop.database.read() as connection:
        first = store.orders(connection, "active", limit=1)
        rest = store.orders(connection, "active", after=first[0].id, limit=9)
        assert [each.id for each in rest] == [normal.id, low.id]
        assert store.counts(connection, at(31)) == {"open": 3, "taken": 0, "done": 0, "overdue": 1}
        assert store.orders(connection, "active", network_code="other", limit=9) == []
    shop.act(shop.engineer, low.id, Act.WITHDRAW, said="raised twice")
    assert [each.id for each in shop.listed("over")] == [low.id]


def test_an_order_goes_from_hand_to_hand_and_its_history_cannot_be_changed(shop: Shop) -> None:
    made = shop.hand()
    shop.act(shop.engineer, made.id, Act.ASSIGN, assignee=shop.anna.subject)
    with pytest.raises(Forbidden, match="another's hands"):
        shop.act(shop.bo, made.id, Act.TAKE)
    shop.wall.advance(timedelta(minutes=5).total_seconds())
    shop.act(shop.anna, made.id, Act.TAKE)
    with pytest.raises(Forbidden, match="roles"):
        shop.act(shop.anna, made.id, Act.WITHDRAW, said="why")
    shop.act(shop.anna, made.id, Act.DONE, said="hinge")
    done = shop.act(shop.bo, made.id, Act.CHECK)
    assert (done.progress.state, done.progress.responded_s) == (State.CHECKED, 300)
    with shop.database.read() as connection:
        lines = store.entries(connection, made.id, limit=99)
        assert [(each.what, each.actor_name) for each in lines] == [
            ("raised", "Eng"), ("assign", "Eng"),
            ("take", "Anna"), ("done", "Anna"), ("check", "Ben"),
        ]  # fmt: skip
        assert lines[1].other_name == "Anna"
        audited = connection.execute(
            text("select count(*) from audit.record where subject_id = :id"), {"id": str(made.id)}
        ).scalar_one()
        assert audited == 5
    with (
        pytest.raises(exc.DBAPIError, match="append-only"),
        shop.database.unit_of_work() as uow,
    ):
        uow.connection.execute(text("update signals.work_entry set words = 'other'"))


def test_nobody_who_does_no_such_work_is_assigned(shop: Shop) -> None:
    made = shop.hand()
    with pytest.raises(Invalid, match="nobody who does such work"):
        shop.act(shop.engineer, made.id, Act.ASSIGN, assignee=str(uuid7()))
    with shop.database.read() as connection:
        assert {each.name for each in service.workers(connection)} == {"Eng", "Anna", "Ben"}
    with pytest.raises(NotFound, match="work order"):
        shop.act(shop.anna, uuid7(), Act.TAKE)


def test_a_fault_is_one_order_until_that_is_over(shop: Shop) -> None:
    first = shop.alarm(Code.DETECTOR_STUCK, "5")
    with shop.database.unit_of_work() as uow:
        made = service.raise_of_alarm(uow, shop.engineer, first)
        assert service.raise_of_alarm(uow, shop.anna, first).id == made.id
    assert (made.kind, made.priority, made.origin) == ("detector", "normal", "alarm")
    assert "5" in made.what_zh
    with shop.database.read() as connection:
        assert [each.what for each in store.entries(connection, made.id, limit=9)] == ["raised"]
    # It went and came back: the same fault.
    shop.clear(first)
    second = shop.alarm(Code.DETECTOR_STUCK, "5")
    with shop.database.unit_of_work() as uow:
        assert service.raise_of_alarm(uow, shop.anna, second).id == made.id
        with pytest.raises(Conflict, match="the alarm is over"):
            service.raise_of_alarm(uow, shop.anna, first)
        with pytest.raises(NotFound):
            service.raise_of_alarm(uow, shop.anna, uuid7())
    shop.act(shop.engineer, made.id, Act.WITHDRAW, said="the lane is closed")
    with shop.database.unit_of_work() as uow:
        assert service.raise_of_alarm(uow, shop.anna, second).id != made.id


def test_a_fault_that_lasts_raises_its_order_once(shop: Shop) -> None:
    silent = shop.alarm(Code.CONTROLLER_SILENT, "tsc-1")
    shop.alarm(Code.SPILL_BACK, "3")
    shop.alarm(Code.DETECTOR_STUCK, "4")
    shop.wall.advance(timedelta(minutes=29).total_seconds())
    assert service.raise_lasting(shop.database) == 0
    shop.wall.advance(timedelta(minutes=1).total_seconds())
    assert service.raise_lasting(shop.database) == 1
    assert service.raise_lasting(shop.database) == 0
    (made,) = shop.listed()
    assert (made.alarm_id, made.origin, made.priority) == (silent, "rule", "high")
    # Somebody decided: the same alarm does not raise it anew.
    shop.act(shop.engineer, made.id, Act.WITHDRAW, said="the street is dug up")
    assert service.raise_lasting(shop.database) == 0


def test_a_policy_is_set_in_versions_and_orders_that_stand_keep_theirs(shop: Shop) -> None:
    before = shop.hand()
    limits = dict(STANDARD.limits) | {Priority.NORMAL: Limits(10, 20, 30)}
    with shop.database.unit_of_work() as uow:
        service.set_policy(uow, shop.engineer, Policy(limits, {}), "a contract of ours", number=0)
        with pytest.raises(Conflict, match="somebody else"):
            service.set_policy(uow, shop.engineer, STANDARD, "mine", number=0)
        with pytest.raises(Forbidden):
            service.set_policy(uow, shop.anna, STANDARD, "mine", number=1)
    shop.alarm(Code.FLASHING)
    shop.wall.advance(timedelta(days=1).total_seconds())
    assert service.raise_lasting(shop.database) == 0
    assert shop.hand().progress.due_at == shop.wall.now() + timedelta(minutes=10)
    with shop.database.read() as connection:
        assert service.order(connection, before.id).progress.limits.respond_min == 24 * 60


def test_a_photo_is_kept_sealed_once_and_each_look_is_on_record(shop: Shop) -> None:
    made = shop.hand()
    with shop.database.unit_of_work() as uow:
        kept = service.add_photo(uow, shop.anna, made.id, JPEG, "the hinge")
        assert service.add_photo(uow, shop.anna, made.id, JPEG, None) == kept
        with pytest.raises(Invalid, match="JPEG or PNG"):
            service.add_photo(uow, shop.anna, made.id, b"%PDF-1.7\n%%EOF", None)
    assert kept.sha256 is not None
    with shop.database.unit_of_work() as uow:
        assert service.view_photo(uow, shop.bo, made.id, kept.sha256)[1] == JPEG
        with pytest.raises(NotFound, match="no such photo"):
            service.view_photo(uow, shop.bo, made.id, "0" * 64)
    with shop.database.read() as connection:
        sealed = connection.execute(text("select ciphertext from vault.picture")).scalar_one()
        assert JPEG not in bytes(sealed)
        looks = connection.execute(
            text("select count(*) from audit.record where action = 'signals.work_photo_seen'")
        ).scalar_one()
        assert looks == 1
    shop.act(shop.engineer, made.id, Act.WITHDRAW, said="raised twice")
    with shop.database.unit_of_work() as uow, pytest.raises(Conflict, match="withdrawn"):
        service.add_photo(uow, shop.anna, made.id, JPEG + JPEG, None)
