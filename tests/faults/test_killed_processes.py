"""`kill -9` of anything at any moment: nothing answered is lost, and the order does not matter.

A short run of `bench.faults`, which does 100 000 uplinks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.conftest import UPLINKS
from tests.faults.installation import KINDS

if TYPE_CHECKING:
    from tests.faults.installation import Installation
    from tests.faults.ordeal import Outcome

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]


def test_every_kind_of_process_was_killed(ordeal: Outcome) -> None:
    assert set(ordeal.kills) == set(KINDS)


def test_everything_was_answered_in_the_end(ordeal: Outcome) -> None:
    assert (ordeal.answered, ordeal.strange) == (UPLINKS, 0)


def test_nothing_that_was_answered_is_lost_and_nothing_is_there_that_was_not_sent(
    ordeal: Outcome,
) -> None:
    assert (ordeal.findings.lost, ordeal.findings.invented) == ([], [])


def test_every_bay_s_state_is_that_of_a_sorted_fold(ordeal: Outcome) -> None:
    assert ordeal.findings.states == []


def test_every_bay_s_history_is_that_of_a_sorted_fold(ordeal: Outcome) -> None:
    assert ordeal.findings.histories == []


def test_stays_are_those_that_the_histories_give(ordeal: Outcome) -> None:
    assert ordeal.findings.stays == []


def test_counts_and_free_bays_agree_with_the_states(ordeal: Outcome) -> None:
    assert (ordeal.findings.counts, ordeal.findings.positions) == ([], [])


def test_the_system_is_ready_again(ordeal: Outcome, installation: Installation) -> None:
    del ordeal
    assert installation.get("/readyz")[0] == 200
