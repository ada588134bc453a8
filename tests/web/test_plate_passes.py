"""Passages on the stream that signals read: the same car within a day, nobody the day after."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from city.identifiers import DistrictCode
from city.works import plate_passes
from tests.web.lane_site import PLATE, Gates, open_gates

if TYPE_CHECKING:
    from tests.web.small_site import Site

EAST = DistrictCode("0153")


@pytest.fixture
def gates(site: Site) -> Gates:
    return open_gates(site)


def test_a_passage_is_told_with_its_lane_time_and_a_hash_of_the_day(gates: Gates) -> None:
    live = gates.site.wiring.live
    gates.entry.arrives()
    gates.entry.drives()
    in_at = gates.site.clock.now()
    gates.site.clock.advance(3600)
    gates.exit.arrives()
    gates.exit.drives()
    first, second = (told for _, told in plate_passes.read(live, EAST))
    assert (str(first.lane_id), str(second.lane_id)) == (gates.entry.lane_id, gates.exit.lane_id)
    assert first.at == in_at
    assert first.token == second.token
    assert len(first.token) == 32
    assert PLATE not in str(live.xrange(plate_passes.passes_key(EAST)))
    gates.site.clock.advance(timedelta(days=1).total_seconds())
    gates.entry.waits(1)
    gates.entry.arrives()
    gates.entry.drives()
    told = plate_passes.read(live, EAST)
    assert told[-1][1].token != first.token
    assert plate_passes.read(live, EAST, after=told[1][0]) == told[2:]
