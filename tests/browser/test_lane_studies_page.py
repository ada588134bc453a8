"""What if: a junction's lanes changed, its signal taken away, kept as a draft."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from playwright.sync_api import expect

from tests.browser.pictures import shot
from tests.browser.test_every_page import violations

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Visitor

JUNCTION = "J01"
ROAD = "m10-n10"
HOUR = (datetime.now(UTC).hour + 20) % 24
"""Of the street, half a day from now: no detector of the town has counted it."""


def import_counts(visitor: Visitor, network: str) -> None:
    """Import a table of one turn of the junction: an hour of two working days."""
    request = visitor.context("engineer").request
    home = f"{visitor.system.origin}/api/v1/signal-networks/{network}"
    lanes = request.get(f"{home}/signals/{JUNCTION}/lanes").json()
    right = next(each for each in lanes["approaches"] if each["road"] == ROAD)["ways"][0]
    rows = [
        f"{JUNCTION},2026-03-0{day},{HOUR:02}:{minute:02},{ROAD},{right['to_road']},{60 + day}"
        for day in (2, 3)
        for minute in (0, 15, 30, 45)
    ]
    table = "\n".join(["junction,date,start,approach,movement,car", *rows])
    token = request.get(f"{visitor.system.origin}/api/v1/me").json()["csrf_token"]
    headers = {"X-CSRF-Token": token, "Idempotency-Key": str(uuid4())}
    answer = request.post(f"{home}/counts", data={"text": table}, headers=headers)
    assert answer.ok, answer.text()


def change_flows(page: Page) -> None:
    """Fill what is counted of the junction, and enter another count of one turn."""
    page.locator("#flows").click()
    page.locator("#counted-hour").select_option(str(HOUR))
    page.locator("#fill-counts").click()
    expect(page.locator(f"#flow-{ROAD}-0")).to_have_value("250")
    expect(page.locator("#dialog")).to_contain_text("tables of counts, 2 days")
    expect(page.locator("#dialog")).to_contain_text("not counted: as it was")
    expect(page.locator("#flows-source")).to_have_value(re.compile("^tables of counts, working"))
    page.locator("#flows-source").fill("counted by hand")
    page.locator(f"#flow-{ROAD}-0").fill("300")
    expect(page.locator("#dialog")).to_contain_text("entered by hand")
    shot(page, "studies-flows-en-1440")
    assert violations(page) == []
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator("#dialog")).to_be_hidden()
    expect(page.locator("#demand")).to_contain_text("counted by hand")
    expect(page.locator(f'[data-road="{ROAD}"]')).to_contain_text("right 300")


def test_lanes_are_changed_compared_and_kept_and_a_signal_taken_away(visitor: Visitor) -> None:
    phone = visitor.open("/signals/lanes?signal=J06", "engineer", language="zh", width=390)
    expect(phone.locator('body[data-signal="J06"]')).to_have_count(1)
    phone.locator("#study-none").click()
    page = visitor.open("/signals/lanes", "engineer")
    expect(page.locator("body[data-signal]")).to_have_count(1)
    page.locator("#signal").select_option(JUNCTION)
    expect(page.locator(f'body[data-signal="{JUNCTION}"]')).to_have_count(1)
    import_counts(visitor, page.locator("#network").input_value())
    change_flows(page)
    # Three lanes: right, left, left. The middle one is to lead right as well.
    card = page.locator(f'[data-road="{ROAD}"]')
    expect(card.locator(".lane-choice")).to_have_count(3)
    expect(page.locator("#study-lanes")).to_be_disabled()
    kerb = card.locator(".lane-choice").last
    kerb.get_by_role("button", pressed=True).click()
    expect(card.locator(".form-problem")).to_be_visible()
    expect(page.locator("#study-lanes")).to_be_disabled()
    page.locator("#undo").click()
    middle = card.locator(".lane-choice").nth(1)
    middle.get_by_role("button", pressed=True).click()
    middle.get_by_role("button", pressed=False).last.click()
    expect(card.locator(".form-problem")).to_be_hidden()
    page.locator("#study-lanes").click()
    # A job of low priority makes two plans beside a whole city.
    expect(page.locator('#study[data-status="done"]')).to_be_visible(timeout=240_000)
    expect(page.locator(".study-figures").first.locator("tbody tr")).to_have_count(5)
    expect(page.locator(".study-changes .lane-sign")).to_have_count(6)
    page.locator('[data-act="keep"]').click()
    page.locator("#study-name").fill("东街南口 South mouth")
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator("#dialog")).to_be_hidden()
    expect(page.locator("#study-title")).to_have_text("东街南口 South mouth")
    shot(page, "studies-en-1440")
    assert violations(page) == []
    kept = page.locator(".plan-choice[aria-pressed=true]").get_attribute("data-study")
    with page.expect_download() as saved:
        page.locator('a[href*="format=sumo"]').click()
    assert saved.value.suggested_filename == f"{JUNCTION}.net.xml"
    other = visitor.open(f"/signals/lanes/{kept}", "operator", language="zh", width=360)
    expect(other.locator("#study-title")).to_have_text("东街南口 South mouth")
    expect(other.locator("#study-lanes")).to_be_hidden()
    shot(other, "studies-zh-360")
    assert violations(other) == []
    expect(phone.locator('#study[data-status="done"]')).to_be_visible(timeout=240_000)
    expect(phone.locator(".study-words")).to_contain_text("GB 14886-2016")
    shot(phone, "studies-none-zh-390")
    assert violations(phone) == []
