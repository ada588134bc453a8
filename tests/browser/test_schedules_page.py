"""The schedules' page: counts imported, a schedule made, checked, approved and put in force."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from signals.rules.life.parts import plan_json
from tests.browser.pictures import shot
from tests.browser.test_every_page import violations
from tests.signals import counted, crossroads

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Visitor

MONDAY = dt.date(2026, 2, 2)


def content() -> str:
    plan = crossroads.plan(crossroads.case_of(crossroads.network()))
    return json.dumps(crossroads.document() | {"plans": [plan_json(plan)]})


def table() -> bytes:
    """Give a Monday and a Sunday of those who drive straight on, and a row that cannot be."""
    rows = [
        row
        for row in counted.rows([MONDAY, MONDAY + dt.timedelta(days=6)], range(7, 9))
        if row[4] == "straight"
    ]
    return counted.csv_of([*rows, [*rows[0][:5], -7, 0, 0]])


def add_special_day(page: Page) -> None:
    page.locator("#special-add").click()
    page.locator("#special-1-name").fill("Match")
    page.locator("#special-1-first").fill("2026-02-09")
    page.locator("#special-1-roads").select_option("east-in")
    page.locator("#special-1-start").fill("07:30")
    shot(page, "schedules-special-en-1440")
    assert violations(page) == []


def test_counts_become_a_schedule_that_junctions_follow(visitor: Visitor) -> None:
    visitor.faults.expected.append("403")
    page = visitor.open("/signals", "engineer")
    expect(page.locator("body[data-network]")).to_have_count(1)
    page.locator("#import").click()
    page.locator("#import-code").fill("browser-schedule")
    page.locator("#import-name").fill("Scheduled")
    page.locator("#import-file").set_input_files(
        {"name": "cross.json", "mimeType": "application/json", "buffer": content().encode()}
    )
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator("#dialog")).to_be_hidden()
    expect(page.locator("#junction-title")).to_have_text("crossroads")
    network = page.locator("#network").input_value()
    page.goto(page.url.partition("/signals")[0] + f"/signals/schedules?network={network}")
    expect(page.locator(f'body[data-network="{network}"]')).to_have_count(1)
    page.locator("#import-counts").click()
    page.locator("#counts-file").set_input_files(
        {"name": "counts.csv", "mimeType": "text/csv", "buffer": table()}
    )
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator("#dialog")).to_be_hidden()
    expect(page.locator("#returned tbody tr")).to_contain_text("must not be negative")
    page.locator("#ask").click()
    page.locator("#schedule-name").fill("cross")
    page.locator("#schedule-signals").select_option("crossroads")
    page.locator("#keep-stages").check()
    add_special_day(page)
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator("#dialog")).to_be_hidden()
    # A job of low priority makes it beside a whole city.
    expect(page.locator('#schedule[data-status="draft"]')).to_be_visible(timeout=240_000)
    expect(page.locator(".day-card")).to_have_count(3)
    expect(page.locator(".day-card", has_text="Match")).to_be_visible()
    expect(page.locator(".calendar-strip li")).to_have_count(14)
    page.locator('[data-act="check"]').click()
    expect(page.locator('#schedule[data-status="checked"]')).to_be_visible()
    page.locator('[data-act="approval"]').click()
    expect(page.locator("#act-problem")).to_be_visible()
    shot(page, "schedules-en-1440")
    assert violations(page) == []
    schedule = page.locator(".plan-choice[aria-pressed=true]").get_attribute("data-schedule")
    other = visitor.open(
        f"/signals/schedules?network={network}", "administrator", language="zh", width=360
    )
    other.locator(f'[data-schedule="{schedule}"]').click()
    other.locator('[data-act="approval"]').click()
    expect(other.locator('#schedule[data-status="approved"]')).to_be_visible()
    other.locator('[data-act="entry"]').click()
    other.locator("#dialog button[type=submit]").click()
    expect(other.locator('#schedule[data-status="in_force"]')).to_be_visible()
    shot(other, "schedules-zh-360")
    assert violations(other) == []
