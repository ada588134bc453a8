"""`kill -9` in the middle of what terminals tell: one effect an act, and shifts that balance.

A short run of `bench.act_faults`, in which a hundred terminals do a thousand acts each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from city.terminals.rules.acts import ActKind
from tests.faults.round_ordeal import KINDS, RoundOutcome, endure_rounds

if TYPE_CHECKING:
    from tests.faults.installation import Installation

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

TERMINALS, ACTS, KILLS, SENDERS, SEED = 12, 48, 4, 4, 20260302


@pytest.fixture(scope="module")
def told(installation: Installation) -> RoundOutcome:
    """Tell rounds while each kind of process is killed once."""
    if not installation.running:
        installation.start()
    return endure_rounds(installation, TERMINALS, ACTS, KILLS, SENDERS, SEED)


def test_every_kind_of_process_that_an_upload_goes_through_was_killed(told: RoundOutcome) -> None:
    assert set(told.kills) == set(KINDS)


def test_every_act_is_known_to_be_kept_and_was_sent_oftener_than_once(told: RoundOutcome) -> None:
    assert (told.done, told.strange) == (told.acts, [])
    assert told.sent > told.acts


def test_each_act_is_kept_once_with_the_effect_that_it_must_have(told: RoundOutcome) -> None:
    assert (told.books.wrong_acts, told.books.twice, told.books.wrong_effects) == ([], [], [])
    assert {each.value for each in ActKind} == {
        kept.removesuffix(" done") for kept in told.books.counts if kept.endswith(" done")
    }
    refused = {kept.removesuffix(" refused") for kept in told.books.counts if "refused" in kept}
    assert refused == {"plate", "end", "cash", "exempt", "escape", "report"}


def test_each_stay_that_costs_anything_has_one_bill_over_what_it_comes_to(
    told: RoundOutcome,
) -> None:
    assert told.books.wrong_bills == []
    assert told.books.counts["bills"] > TERMINALS


def test_each_photo_is_kept_once_with_the_stay_of_its_act(told: RoundOutcome) -> None:
    assert told.books.wrong_photos == []
    assert told.books.counts["photos"] > 0


def test_clocks_that_are_wrong_by_minutes_put_no_act_at_a_wrong_time(told: RoundOutcome) -> None:
    assert told.books.wrong_times == []
    assert min(told.books.counts[basis] for basis in ("measured", "on-upload")) > 0


def test_what_a_wiped_device_lost_is_told_as_missing(told: RoundOutcome) -> None:
    assert told.books.wrong_counts == []
    assert told.books.counts["gaps"] > 0


def test_everybody_carries_what_the_ledger_their_shift_and_their_terminal_say(
    told: RoundOutcome,
) -> None:
    assert told.books.wrong_money == []
    assert told.books.counts["cash_minor"] > 0
