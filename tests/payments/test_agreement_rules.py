"""A deduction is made where nothing is in doubt, and never beyond what was agreed to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from city.errors import Conflict, Invalid
from city.identifiers import AccountId, VehicleId, uuid7
from city.money import Money
from city.vehicles import PlateKind
from payments.rules.agreements import (
    Agreement,
    AgreementState,
    Leaving,
    Obstacle,
    consent,
    ended,
    heard,
    obstacle,
)
from payments.rules.channels import Channel
from payments.rules.deductions import PlateColour, Standing, colour_of

NINE = datetime(2026, 3, 2, 1, tzinfo=UTC)


def cny(minor: int) -> Money:
    return Money(minor, "CNY")


def agreed(single: int = 50_00, daily: int = 100_00) -> Agreement:
    return consent(
        AccountId(uuid7()),
        VehicleId(uuid7()),
        Channel.WECHAT,
        "1900009999",
        cny(single),
        cny(daily),
        NINE,
    )


SIGNED = heard(agreed(), Standing.SIGNED, "", NINE)
LEAVING = Leaving(
    outstanding=cny(9_00),
    payable=True,
    disputed=False,
    left_at=NINE + timedelta(hours=1),
    certainty=950,
    theirs=True,
    taken_today=cny(0),
)


def test_a_car_seen_surely_that_left_is_deducted_for() -> None:
    assert obstacle(SIGNED, LEAVING) is None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"payable": False}, Obstacle.NOT_OPEN),
        ({"outstanding": cny(0)}, Obstacle.NO_FEE),
        ({"disputed": True}, Obstacle.DISPUTED),
        ({"left_at": None}, Obstacle.NOT_OVER),
        ({"certainty": 949}, Obstacle.UNSURE),
        ({"left_at": NINE - timedelta(seconds=1)}, Obstacle.BEFORE_SIGNING),
        ({"theirs": False}, Obstacle.NOT_THEIRS),
        ({"outstanding": cny(50_01)}, Obstacle.SINGLE_LIMIT),
        ({"taken_today": cny(91_01)}, Obstacle.DAILY_LIMIT),
    ],
)
def test_whatever_is_in_doubt_is_left_to_the_driver(change: dict[str, Any], why: Obstacle) -> None:
    assert obstacle(SIGNED, replace(LEAVING, **change)) is why


@pytest.mark.parametrize("state", [each for each in AgreementState if each is not SIGNED.state])
def test_an_agreement_that_is_not_signed_deducts_nothing(state: AgreementState) -> None:
    assert obstacle(replace(SIGNED, state=state), LEAVING) is Obstacle.NOT_SIGNED


def test_the_channels_word_signs_pauses_and_ends_and_an_end_is_for_good() -> None:
    asked, later = agreed(), NINE + timedelta(hours=2)
    assert heard(asked, Standing.NONE, "OUT_SERVICE", NINE) == asked
    assert heard(SIGNED, Standing.UNKNOWN, "timeout", NINE) == SIGNED
    paused = heard(SIGNED, Standing.PAUSED, "PAUSE", NINE)
    assert (paused.state, paused.reason) == (AgreementState.PAUSED, "PAUSE")
    again = heard(paused, Standing.SIGNED, "", later)
    assert (again.state, again.signed_at, again.reason) == (AgreementState.SIGNED, NINE, "")
    over = heard(SIGNED, Standing.NONE, "OUT_SERVICE", later)
    assert (over.state, over.ended_at) == (AgreementState.ENDED, later)
    assert heard(over, Standing.SIGNED, "", later) == over
    with pytest.raises(Conflict):
        ended(over, "own-word", later)


@pytest.mark.parametrize(
    ("single", "daily"), [(0, 100), (-1, 100), (500_01, 1_000_00), (100, 99), (100, 1_000_01)]
)
def test_limits_are_refused_that_nobody_should_agree_to(single: int, daily: int) -> None:
    with pytest.raises(Invalid):
        agreed(single, daily)


@settings(max_examples=60)
@given(
    single=st.integers(1, 500_00),
    more=st.integers(0, 500_00),
    fees=st.lists(st.integers(-5, 600_00), max_size=12),
)
def test_no_day_takes_more_than_was_agreed_whatever_bills_come(
    single: int, more: int, fees: list[int]
) -> None:
    agreement = heard(agreed(single, single + more), Standing.SIGNED, "", NINE)
    taken: list[int] = []
    for fee in fees:
        leaving = replace(LEAVING, outstanding=cny(fee), taken_today=cny(sum(taken)))
        if obstacle(agreement, leaving) is None:
            taken.append(fee)
    assert sum(taken) <= agreement.daily.minor
    assert all(0 < each <= single for each in taken)


def test_channels_know_plates_by_colour_and_official_ones_not_at_all() -> None:
    assert colour_of(PlateKind.BLUE7) is PlateColour.BLUE
    assert colour_of(PlateKind.NEV_GREEN8) is PlateColour.GREEN
    assert colour_of(PlateKind.NEV_LARGE8) is PlateColour.LIMEGREEN
    assert colour_of(PlateKind.POLICE_WHITE) is None
    assert colour_of(PlateKind.UNKNOWN) is None
