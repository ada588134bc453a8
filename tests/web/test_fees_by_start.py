"""What a terminal knows of a stay that begins without a line is what the city bills it for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from parking.services import stays
from tests.web.test_terminal_acts import Pda

if TYPE_CHECKING:
    from tests.web.small_site import Site

KIND = "blue7"


def told_fee(tables: dict[str, Any], kind: str, began_at: datetime, left_at: datetime) -> int:
    """Read a fee off the tables as the page does."""
    base_at = datetime.fromisoformat(tables["base_at"])
    start, leave = (round((each - base_at).total_seconds()) for each in (began_at, left_at))
    (fees,) = [each for each in tables["fees"] if kind in each["kinds"]]
    (piece,) = [each for each in fees["pieces"] if each["from_s"] <= start <= each["to_s"]]
    reached = [m for moves, at, m in piece["steps"] if (start + at if moves else at) <= leave]
    return int(reached[-1])


def test_a_stay_that_nobody_heard_of_costs_what_its_terminal_said(site: Site) -> None:
    pda = Pda(site)
    path = f"/api/v1/facilities/{site.facility.id}/fees-by-start"
    tables = site.get(path, "attendant").get_json()
    # From here on there is no line.
    site.clock.advance(20 * 60 + 7)
    began_at = site.clock.now()
    begun = pda.plate()
    site.clock.advance(3 * 3600 + 61)
    left_at = site.clock.now()
    ended = pda.act("end", bay_id=str(site.bays[0].id), reason="drove off before my eyes")
    said = told_fee(tables, KIND, began_at, left_at)
    assert said > 0
    site.clock.advance(3600)
    pda.send(begun, ended)
    with site.wiring.database.unit_of_work() as uow:
        stays.announce_settled(uow)
    site.run_jobs()
    (bill,) = site.get("/api/v1/bills", "attendant").get_json()["items"]
    assert bill["amount"]["minor"] == said


def test_tables_hold_for_some_hours_and_name_no_kind_that_is_free(site: Site) -> None:
    path = f"/api/v1/facilities/{site.facility.id}/fees-by-start"
    tables = site.get(path, "attendant").get_json()
    base_at = datetime.fromisoformat(tables["base_at"])
    now = site.clock.now()
    assert base_at <= now - timedelta(hours=2)
    assert base_at + timedelta(seconds=tables["until_s"]) >= now + timedelta(hours=12)
    named = {kind for each in tables["fees"] for kind in each["kinds"]}
    assert KIND in named
    offered = site.get(f"/api/v1/facilities/{site.facility.id}/exemptions", "attendant").get_json()
    assert named.isdisjoint(each["kind"] for each in offered["free_kinds"])
    assert site.get(path, "driver").status_code == 403
