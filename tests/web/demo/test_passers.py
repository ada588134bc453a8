"""Cars through the demo town, as its cameras tell them: seen again, and never ahead of time."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from web.demo.passers import Passers
from web.demo.town import SEED, build_town

START = datetime(2026, 3, 2, 0, tzinfo=UTC)


def test_cars_are_read_in_order_at_signals_of_the_town_and_most_of_them_again() -> None:
    town = build_town(SEED)
    passers = Passers(town, Random(1), ZoneInfo("Asia/Shanghai"), START)  # noqa: S311 - a town
    first = passers.until(START + timedelta(minutes=30))
    rest = passers.until(START + timedelta(minutes=60))
    read = [*first, *rest]
    assert [each[0] for each in read] == sorted(each[0] for each in read)
    assert max(each[0] for each in first) <= START + timedelta(minutes=30)
    assert {each[1] for each in read} == {each.code for each in town.junctions}
    seen = Counter(plate for _, _, _, plate in read)
    assert sum(1 for n in seen.values() if n > 1) > 0.7 * len(seen)
