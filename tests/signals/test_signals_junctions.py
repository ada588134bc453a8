"""Junctions on a real database, from recording to pages."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from city.errors import Conflict, Invalid, NotFound
from city.identifiers import DistrictCode, JunctionId, uuid7
from city.places import Position
from city.works.database import Database
from signals.rules.junctions import Approach, FixedPlan, GroupKind, Junction, SignalGroup, Stage
from signals.services.junctions import junction, junctions, record_junctions

SOUTH, NORTH = DistrictCode("0153"), DistrictCode("0154")

PLAN = FixedPlan(
    groups=(
        SignalGroup("ns", GroupKind.VEHICLE, "north"),
        SignalGroup("ew", GroupKind.VEHICLE),
        SignalGroup("walk", GroupKind.PEDESTRIAN, flashing_green_s=8),
    ),
    stages=(Stage("a", ("ns", "walk"), 20), Stage("b", ("ew",), 15)),
    offset_s=7,
)


def made(code: str, **changes: Any) -> Junction:
    whole: dict[str, Any] = {
        "junction_id": JunctionId(uuid7()),
        "code": code,
        "name_zh": "人民路—江滨路",
        "name_en": "Renmin Road / Jiangbin Road",
        "position": Position(118.054, 30.927),
        "district": SOUTH,
        "approaches": (Approach("north", 3.5, 3, "n00-n01"), Approach("east", 92.0, 2)),
        "plan": PLAN,
    }
    return Junction(**whole | changes)


def recorded(database: Database, *given: Junction) -> int:
    with database.unit_of_work() as uow:
        return record_junctions(uow, given)


def pages(database: Database, limit: int, district: DistrictCode | None = None) -> Iterator[str]:
    cursor = None
    while True:
        with database.read() as connection:
            page = junctions(connection, cursor, limit, district)
        yield ",".join(item.code for item in page.items)
        cursor = page.next
        if cursor is None:
            return


def test_a_junction_comes_back_as_it_was_recorded(database: Database) -> None:
    planned, bare = made("J01"), made("J02", approaches=(), plan=None)
    # Not every group of the plan hangs on an approach; a junction may be known by name only.
    assert recorded(database, planned, dataclasses.replace(bare)) == 2

    with database.read() as connection:
        assert junction(connection, planned.junction_id) == planned
        assert junction(connection, bare.junction_id) == bare


def test_a_junction_that_is_recorded_again_is_replaced(database: Database) -> None:
    first = made("J01")
    recorded(database, first)
    changed = dataclasses.replace(first, code="J09", name_en="Bell Tower", plan=None)
    recorded(database, changed)

    with database.read() as connection:
        assert junctions(connection).items == (changed,)


def test_junctions_page_in_the_order_of_their_codes(database: Database) -> None:
    recorded(database, *(made(f"J{number:02d}") for number in (5, 3, 1, 4, 2)))

    assert list(pages(database, 2)) == ["J01,J02", "J03,J04", "J05"]
    assert list(pages(database, 5)) == ["J01,J02,J03,J04,J05"]


def test_a_page_may_be_of_one_district(database: Database) -> None:
    recorded(database, made("J01"), made("J02", district=NORTH), made("J03"))

    assert list(pages(database, 1, SOUTH)) == ["J01", "J03"]
    assert list(pages(database, 50, DistrictCode("9999"))) == [""]


def test_more_junctions_than_a_statement_takes_are_recorded_too(database: Database) -> None:
    many = [made(f"J{number:04d}", approaches=(), plan=None) for number in range(1_200)]

    assert recorded(database, *many) == 1_200
    with database.read() as connection:
        assert connection.execute(text("select count(*) from signals.junction")).scalar() == 1_200


def test_nothing_to_record_is_nothing_recorded(database: Database) -> None:
    assert recorded(database) == 0


def test_a_code_belongs_to_one_junction(database: Database) -> None:
    recorded(database, made("J01"))

    with pytest.raises(Conflict) as caught:
        recorded(database, made("J01"))
    assert caught.value.field == "junctions.code"


def test_a_batch_carries_each_code_and_identifier_once(database: Database) -> None:
    one = made("J01")

    with pytest.raises(Invalid):
        recorded(database, one, made("J01"))
    with pytest.raises(Invalid):
        recorded(database, one, dataclasses.replace(one, code="J02"))


def test_an_unknown_junction_is_not_found(database: Database) -> None:
    with database.read() as connection, pytest.raises(NotFound):
        junction(connection, JunctionId(uuid7()))


@pytest.mark.parametrize("cursor", ["", "x", "Sjox", "路", "ag==", "a" * 5, "ajoA"])
def test_a_cursor_that_was_not_given_out_is_refused(database: Database, cursor: str) -> None:
    with database.read() as connection, pytest.raises(Invalid) as caught:
        junctions(connection, cursor)

    assert caught.value.field == "cursor"


@pytest.mark.parametrize("limit", [0, -1, 201])
def test_a_page_has_1_to_200_items(database: Database, limit: int) -> None:
    with database.read() as connection, pytest.raises(Invalid) as caught:
        junctions(connection, limit=limit)

    assert caught.value.field == "limit"


@pytest.mark.parametrize(
    "changes",
    [
        {"district": "{0153}"},
        {"approaches": (Approach("north", 0, 1), Approach("north", 1, 1))},
        {"approaches": ()},
    ],
)
def test_a_junction_that_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        made("J01", **changes)


def test_a_junction_has_a_code() -> None:
    with pytest.raises(Invalid):
        made("")


def test_an_approach_that_cannot_be_is_refused() -> None:
    with pytest.raises(Invalid):
        Approach("north", 360, 1)
    with pytest.raises(Invalid):
        Approach("north", 0, 0)
