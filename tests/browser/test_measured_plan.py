"""What a plan did on the street, on its page: set beside what was foretold, kept, decided."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from city.time import WallClock
from city.works.database import Database
from city.works.run_record import read_run_record
from tests.browser.pictures import shot
from tests.browser.test_every_page import violations
from tests.signals import street_days

if TYPE_CHECKING:
    from tests.browser.conftest import Visitor


def test_what_detectors_tell_of_a_plan_is_kept_and_decided_on(visitor: Visitor) -> None:
    record = read_run_record(visitor.system.folder / "var")
    assert record is not None
    changed_at = WallClock().now() - timedelta(days=street_days.DAYS, hours=1)
    with closing(Database(record.addresses.database, clock=WallClock(), pool_size=1)) as database:
        made = street_days.deployed(database, changed_at, f"measured-{changed_at:%H%M%S}")
    path = f"/signals/plans/{made}"
    page = visitor.open(path, "engineer")
    effect = page.locator(f'#effect[data-shown="{made}"]')
    expect(effect).to_be_visible()
    rows = effect.get_by_role("row")
    expect(rows.filter(has_text="Wait for green")).to_contain_text("less by")
    expect(rows.filter(has_text="Wait for green")).to_contain_text("the interval")
    expect(rows.filter(has_text="Traffic at a detector")).to_contain_text("no difference shown")
    expect(rows.filter(has_text="0-crossroads → 1-crossroads")).to_contain_text("less by")
    effect.get_by_text("Differences by junction").click()
    shot(page, "signals-effect-en-1440")
    assert violations(page) == []
    page.locator('[data-act="keep-effect"]').click()
    expect(page.locator("#version-title")).to_contain_text("measured")
    expect(page.locator("#predicted")).to_contain_text("Measured, 95 %")
    page.locator('[data-act="enter-measurement"]').click()
    for side, mean in (("before", 31), ("after", 24)):
        for end, seconds in (("mean", mean), ("low", mean - 2), ("high", mean + 2)):
            page.locator(f"#{side}-{end}").fill(str(seconds))
    page.locator("#measured-from").fill("2026-03-02T08:00")
    page.locator("#measured-until").fill("2026-03-06T10:00")
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator("#predicted")).to_contain_text("31.0 s (29.0 to 33.0)")
    page.locator('[data-act="keep"]').click()
    page.locator("#decision-reason").fill("shorter waits")
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator("#version-title")).to_contain_text("kept")
    other = visitor.open(path, "auditor", language="zh", width=360, theme="dark")
    expect(other.locator("#effect")).to_contain_text("减少")
    expect(other.locator('[data-act="keep-effect"]')).to_have_count(0)
    assert other.evaluate("document.documentElement.scrollWidth") <= 360
    shot(other, "signals-effect-zh-360-dark")
    assert violations(other) == []

    # A network that was chosen is what the next page begins with.
    page.goto(f"{visitor.system.origin}/signals/schedules")
    mine = page.locator("#network option").filter(has_text="Two crossroads").first
    chosen = mine.get_attribute("value") or ""
    page.locator("#network").select_option(chosen)
    page.goto(f"{visitor.system.origin}/signals/travel")
    expect(page.locator(f'body[data-network="{chosen}"]')).to_have_count(1)
