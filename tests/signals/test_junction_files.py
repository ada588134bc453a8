"""Junctions' papers in versions, and how long signals were heard of the time listened."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import exc, text

from city.errors import Forbidden, Invalid, NotFound
from city.identifiers import uuid7
from signals.rules.maintenance.online import (
    LONGEST_GAP,
    ZONE,
    Reporter,
    by_day,
    credited,
    on_line,
    rate,
    starts,
)
from signals.services import junction_file as service
from signals.services import networks
from signals.services import on_line as online_service
from signals.services.junction_file import Paper
from signals.store import junction_documents as store
from signals.store import reporters
from tests.signals import crossroads
from tests.signals.test_work_orders import EIGHT, JPEG, Shop, shop

if TYPE_CHECKING:
    from uuid import UUID

    from city.people.actors import Actor

__all__ = ["shop"]

PDF = b"%PDF-1.7\n" + bytes(20) + b"\n%%EOF\n"
NOON = datetime(2026, 3, 2, 12, tzinfo=ZONE)
MINUTE = timedelta(minutes=1)


def reporter(quiet_s: float | None, known: timedelta = timedelta(hours=1)) -> Reporter:
    heard_at = None if quiet_s is None else NOON - timedelta(seconds=quiet_s)
    return Reporter("J01", NOON - known, heard_at)


def test_a_signal_is_on_line_while_all_that_tell_of_it_do() -> None:
    assert on_line([reporter(20)], NOON) is True
    assert on_line([reporter(200)], NOON) is False
    assert on_line([reporter(20), reporter(200)], NOON) is False
    assert on_line([reporter(None)], NOON) is False
    # It was put in a moment ago: nothing is expected yet.
    assert on_line([reporter(None, MINUTE)], NOON) is None
    assert on_line([], NOON) is None


def test_a_minute_counts_and_a_time_in_which_nobody_looked_does_not() -> None:
    (heard,) = credited([reporter(5)], NOON - MINUTE, NOON)
    assert (heard.day, heard.watched_s, heard.heard_s) == (date(2026, 3, 2), 60, 60)
    (silent,) = credited([reporter(500)], NOON - MINUTE, NOON)
    assert (silent.watched_s, silent.heard_s) == (60, 0)
    assert credited([reporter(5)], None, NOON) == []
    assert credited([reporter(5)], NOON - 2 * LONGEST_GAP, NOON) == []
    # A clock that went back.
    assert credited([reporter(5)], NOON + MINUTE, NOON) == []


@given(st.integers(0, 3 * 86_400), st.integers(1, 3 * 86_400))
def test_a_span_is_parted_into_days_without_loss(begins_s: int, length_s: int) -> None:
    from_at = starts(date(2026, 2, 27)) + timedelta(seconds=begins_s)
    parts = list(by_day(from_at, from_at + timedelta(seconds=length_s)))
    assert sum(seconds for _, seconds in parts) == length_s
    days = [day for day, _ in parts]
    assert days == sorted(set(days))
    assert all(0 < seconds <= 86_400 for _, seconds in parts)


@given(st.lists(st.tuples(st.integers(1, 400), st.integers(0, 600)), max_size=30))
def test_nobody_is_heard_longer_than_somebody_listened(looks: list[tuple[int, int]]) -> None:
    before, watched_s, heard_s, gone_s = EIGHT, 0.0, 0.0, 0
    for later_s, quiet_s in looks:
        now = before + timedelta(seconds=later_s)
        told = Reporter("J01", EIGHT - timedelta(days=1), now - timedelta(seconds=quiet_s))
        for each in credited([told], before, now):
            watched_s, heard_s = watched_s + each.watched_s, heard_s + each.heard_s
        before, gone_s = now, gone_s + later_s
    assert 0 <= heard_s <= watched_s <= gone_s
    share = rate(heard_s, watched_s)
    assert share is None if watched_s == 0 else 0 <= (share or 0.0) <= 1


# --- with a database -----------------------------------------------------------------------------


def heard(shop: Shop, at: datetime) -> None:
    """Tell of the signal, as its controller does."""
    with shop.database.unit_of_work() as uow:
        uow.connection.execute(text("update signals.reporter set heard_at = :at"), {"at": at})


def test_minutes_are_kept_by_month_and_unknown_is_not_off_line(shop: Shop) -> None:
    with shop.database.unit_of_work() as uow:
        where = reporters.make_places(uow.connection, shop.network_id, [crossroads.NAME])
        rows = {"tsc-1": (uuid7(), where[crossroads.NAME])}
        reporters.add(uow.connection, rows, simulated=False, at=EIGHT, by="test")
    for minute in range(31):
        shop.wall.advance(60)
        if minute < 15:
            heard(shop, shop.wall.now())
        online_service.look_all(shop.database)
    # Nobody looked for an hour.
    shop.wall.advance(3_600)
    online_service.look_all(shop.database)
    with shop.database.read() as connection:
        now = shop.wall.now()
        (found,) = online_service.month(connection, shop.network_id, date(2026, 3, 9), now)
        assert (
            online_service.month(connection, shop.network_id, date(2026, 1, 1), now)[0].rate is None
        )
    # Thirty minutes between looks; silent from three minutes after it was heard last.
    assert (found.watched_s, found.heard_s) == (30 * 60, 16 * 60)
    assert found.elapsed_s == 31 * 60 + 3_600
    assert found.rate == pytest.approx(16 / 30)
    assert online_service.together([found]) == found.rate


def keep(
    shop: Shop, content: bytes, actor: Actor | None = None, title: str = "Cabinet"
) -> store.JunctionDocument:
    with shop.database.unit_of_work() as uow:
        return service.keep_document(
            uow,
            actor or shop.anna,
            shop.network_id,
            crossroads.NAME,
            kind=Paper.WIRING,
            title=title,
            content=content,
            note=None,
        )


def test_a_paper_has_versions_that_stay_and_each_look_is_on_record(shop: Shop) -> None:
    first = keep(shop, PDF)
    assert keep(shop, PDF) == first
    second = keep(shop, JPEG, shop.engineer)
    assert (second.version, second.format, second.kept_name) == (2, "image/jpeg", "Eng")
    assert keep(shop, PDF, title="Pole").version == 1
    with shop.database.unit_of_work() as uow:
        view = service.view_document(uow, shop.bo, shop.network_id, crossroads.NAME, first.id)
        assert view == (first, PDF)
        with pytest.raises(NotFound, match="no such document"):
            service.view_document(uow, shop.bo, shop.network_id, "other", first.id)
        with pytest.raises(NotFound):
            service.view_document(uow, shop.bo, shop.network_id, crossroads.NAME, uuid7())
    with shop.database.read() as connection:
        found = service.of(connection, shop.network_id, crossroads.NAME, shop.wall.now())
        assert [(each.title, each.version) for each in found.documents] == [
            ("Pole", 1), ("Cabinet", 2), ("Cabinet", 1),
        ]  # fmt: skip
        assert [each.origin for each in found.plans] == ["found"]
        assert (found.cabinet, found.month) == (None, None)
        with pytest.raises(NotFound, match="no such signal"):
            service.of(connection, shop.network_id, "other", shop.wall.now())
        looks = text("select count(*) from audit.record where action = 'signals.document_seen'")
        assert connection.execute(looks).scalar_one() == 1
    with pytest.raises(exc.DBAPIError, match="append-only"), shop.database.unit_of_work() as uow:
        uow.connection.execute(text("delete from signals.junction_document"))


def test_what_is_no_paper_is_refused(shop: Shop) -> None:
    with pytest.raises(Invalid, match="a PDF"):
        keep(shop, b"<html></html>")
    with pytest.raises(Forbidden):
        keep(shop, PDF, shop.engineer.__class__("person", "x", None, frozenset(), "Nobody"))


def test_networks_keep_their_papers_over_revisions(shop: Shop) -> None:
    kept = keep(shop, PDF)
    again: UUID
    with shop.database.unit_of_work() as uow:
        plan = crossroads.plan(crossroads.case_of(crossroads.network()))
        again = networks.record_network(
            uow, shop.engineer, "cross", ("十字", "Cross"), crossroads.network(), [plan]
        ).id
    assert again != shop.network_id
    with shop.database.read() as connection:
        found = service.of(connection, again, crossroads.NAME, shop.wall.now())
        assert found.documents == [kept]
