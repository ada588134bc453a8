"""A day held again: what people ended stays, and nothing that differs is lost or posted as it was.

The fen that are told of, less those that were posted, are what the latest bill shows.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from city.identifiers import uuid7
from city.money import Money
from payments import reconciling
from payments.rules.channel_bills import wechat
from payments.rules.channel_bills.lines import BillLine, LineKind
from payments.rules.channels import Channel
from payments.rules.reconciling import (
    FOUND_NO_MORE,
    REVERSE_CORRECTION,
    CaseState,
    KeptDifference,
    Resolution,
    approved,
    held_again,
    proposed,
    resolved,
)

if TYPE_CHECKING:
    from city.works.database import Database

AT = datetime(2026, 3, 2, 2, tzinfo=UTC)
DAY = date(2026, 3, 2)


def case(minor: int, *, certain: bool = True) -> KeptDifference:
    """Give a payment that is in the bill alone."""
    return KeptDifference(
        id=uuid7(),
        channel="wechat",
        day=DAY,
        kind="theirs-only",
        order_no="order00000001",
        refund_no="",
        proposal="find-the-bill-that-it-pays-or-refund-it",
        certain=certain,
        effect=Money(minor if certain else 0, "CNY"),
        detail={"theirs": {"amount": minor}},
        state=CaseState.OPEN,
        found_at=AT,
    )


class Desk:
    """What is kept of one number, as the store would keep it."""

    def __init__(self) -> None:
        self.kept: dict[str, KeptDifference] = {}

    def run(self, found: KeptDifference | None, *, complete: bool = True) -> None:
        again = held_again(
            self.kept.items(), [("k|1", found)] if found else [], AT, complete=complete
        )
        self.kept |= dict(again.new)
        for key, each in self.kept.items():
            self.kept[key] = next((one for one in again.changed if one.id == each.id), each)
            if each.id in again.gone:
                self.kept[key] = replace(
                    each,
                    state=CaseState.RESOLVED,
                    resolution=Resolution.NOTE,
                    note=FOUND_NO_MORE,
                    resolved_at=AT,
                )

    def end(self, resolution: Resolution) -> None:
        """End what is open by two people."""
        for key, each in self.live.items():
            way = resolution if each.effect else Resolution.NOTE
            said = approved(proposed(each, way, "as it is", AT, "one"), AT, "two")
            self.kept[key] = resolved(said, AT, "one")[0]

    @property
    def live(self) -> dict[str, KeptDifference]:
        return {key: one for key, one in self.kept.items() if one.state is not CaseState.RESOLVED}

    @property
    def posted_minor(self) -> int:
        return sum(each.effect.minor for each in self.kept.values() if each.entry_id)


@given(
    st.lists(
        st.tuples(st.sampled_from(["run", "run", "post", "note"]), st.sampled_from([None, 10, 20])),
        max_size=8,
    )
)
def test_what_is_told_and_what_was_posted_are_what_the_latest_bill_shows(
    steps: list[tuple[str, int | None]],
) -> None:
    desk, shown, in_words = Desk(), 0, False
    for what, minor in steps:
        if what == "run":
            shown = minor or 0
            desk.run(case(minor) if minor else None)
        else:
            in_words = in_words or (what == "note" and bool(desk.live))
            desk.end(Resolution.SUSPENSE if what == "post" else Resolution.NOTE)
        assert len(desk.live) <= 1
    if in_words:
        return  # people said that nothing is to be posted: that word stands
    desk.run(case(shown) if shown else None)
    told = sum(each.effect.minor for each in desk.live.values())
    assert desk.posted_minor + told == shown
    before = dict(desk.kept)
    desk.run(case(shown) if shown else None)
    assert {key: each.state for key, each in desk.kept.items()} == {
        key: each.state for key, each in before.items()
    }


def test_what_had_gone_and_is_there_again_is_told_again() -> None:
    desk = Desk()
    desk.run(case(10))
    desk.run(None)
    assert desk.live == {}
    desk.run(case(10))
    assert [each.effect.minor for each in desk.live.values()] == [10]


@pytest.mark.parametrize("said", ["open", "proposed", "approved"])
def test_another_sum_is_posted_by_nobody_who_agreed_to_the_first(said: str) -> None:
    desk = Desk()
    desk.run(case(10))
    (key,) = desk.kept
    one = desk.kept[key]
    if said != "open":
        one = proposed(one, Resolution.SURPLUS, "paid twice", AT, "one")
    desk.kept[key] = approved(one, AT, "two") if said == "approved" else one
    desk.run(case(20))
    live = desk.kept[key]
    assert (live.state, live.effect.minor, live.approved_by) == (CaseState.OPEN, 20, None)
    assert live.detail == {"theirs": {"amount": 20}}


def test_what_people_said_stays_while_it_is_the_same() -> None:
    for way in (Resolution.NOTE, Resolution.SUSPENSE):
        desk = Desk()
        desk.run(case(10))
        desk.end(way)
        desk.run(case(10))
        assert desk.live == {}
    desk = Desk()
    desk.run(case(10))
    (key,) = desk.kept
    desk.kept[key] = proposed(desk.kept[key], Resolution.NOTE, "asked them", AT, "one")
    desk.run(case(10))
    assert desk.kept[key].state is CaseState.PROPOSED


def test_a_correction_that_a_corrected_bill_does_not_bear_out_is_told_of() -> None:
    desk = Desk()
    desk.run(case(10))
    desk.end(Resolution.SURPLUS)
    desk.run(None)
    (back,) = desk.live.values()
    assert (back.effect.minor, back.proposal) == (-10, REVERSE_CORRECTION)
    desk.run(None)
    assert list(desk.live.values()) == [back]
    desk.run(case(10))  # the wrong file had been handed in
    assert desk.live == {}
    desk.run(case(15))
    assert [each.effect.minor for each in desk.live.values()] == [5]


def test_a_bill_with_broken_rows_ends_nothing_and_makes_nothing_less_sure() -> None:
    desk = Desk()
    desk.run(case(10))
    desk.run(None, complete=False)
    desk.run(case(10, certain=False), complete=False)
    assert [(each.effect.minor, each.certain) for each in desk.live.values()] == [(10, True)]
    desk.end(Resolution.SURPLUS)
    desk.run(None, complete=False)
    desk.run(case(10, certain=False), complete=False)
    assert desk.live == {}


def test_a_wrong_file_in_between_loses_no_difference(database: Database) -> None:
    def bill(*numbers: int) -> bytes:
        lines = [
            BillLine(
                kind=LineKind.PAYMENT,
                at=AT + timedelta(minutes=number),
                order_no=f"order{number:08d}",
                channel_no=f"4200{number:024d}",
                amount=Money(1000, "CNY"),
                fee=Money(6, "CNY"),
                merchant="1900000109",
            )
            for number in numbers
        ]
        return wechat.write_trade(lines, "wx1")

    def states() -> list[Any]:
        with database.read() as connection:
            return [
                tuple(row)
                for row in connection.execute(
                    text(
                        "select order_no, state, effect_minor from payments.difference order by id"
                    )
                )
            ]

    with database.unit_of_work() as uow:
        reconciling.run(uow, Channel.WECHAT, bill(1), DAY, "one")
        reconciling.run(uow, Channel.WECHAT, bill(2), DAY, "one")
    assert [row[:2] for row in states()] == [
        ("order00000001", "resolved"),
        ("order00000002", "open"),
    ]
    with database.unit_of_work() as uow:
        reconciling.run(uow, Channel.WECHAT, bill(1), DAY, "one")
    assert [row[1] for row in states()] == ["resolved", "resolved", "open"]
    assert states()[2] == ("order00000001", "open", 1000)
