"""The signals' workbench: a green wave dragged, a plan drawn, checked, approved, reverted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from signals.rules.life.parts import plan_json
from tests.browser.pictures import shot
from tests.browser.test_every_page import violations
from tests.signals import crossroads

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Visitor


def content() -> bytes:
    """Give a crossroads of our own with its plan."""
    plan = crossroads.plan(crossroads.case_of(crossroads.network()))
    return json.dumps(crossroads.document() | {"plans": [plan_json(plan)]}).encode()


def opened(visitor: Visitor, path: str = "/signals", role: str = "engineer", **how: Any) -> Page:
    """Open the workbench and wait until a junction stands with its stages."""
    page = visitor.open(path, role, **how)
    expect(page.locator(".stage-card").first).to_be_visible()
    expect(page.locator("body[data-network]")).to_have_count(1)
    return page


def test_the_towns_junctions_are_there_and_a_green_wave_follows_a_dragged_offset(
    visitor: Visitor,
) -> None:
    page = opened(visitor)
    # Another test may have imported a network since: the latest is opened by itself.
    town = page.locator("#network option").filter(has_text="simulated").get_attribute("value")
    page.locator("#network").select_option(town)
    expect(page.locator(".network-signal")).to_have_count(30)
    page.locator("#mode-street").click()
    for signal in ("J06", "J07"):
        page.locator(f'.network-signal[data-signal="{signal}"]').click()
    expect(page.locator(".space-time-handle")).to_have_count(2)
    expect(page.locator("#street-delay")).to_contain_text("s /")
    knob = page.locator('.space-time-handle[data-signal="J07"]')
    knob.scroll_into_view_if_needed()
    before = page.locator("#band-out").inner_text()
    box = knob.locator("circle").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 120, y, steps=4)
    page.mouse.up()
    expect(knob).not_to_have_attribute("aria-valuenow", "0")
    expect(page.locator("#trial-report")).to_have_attribute("data-safe", "true")
    expect(page.locator("#band-out")).not_to_have_text(before)
    offset = knob.get_attribute("aria-valuenow")
    knob.press("ArrowRight")
    expect(knob).not_to_have_attribute("aria-valuenow", offset or "")
    shot(page, "signals-en-1440")
    assert violations(page) == []


def test_a_plan_is_imported_drawn_checked_approved_by_another_deployed_and_reverted(
    visitor: Visitor,
) -> None:
    visitor.faults.expected.append("403")
    page = opened(visitor)
    page.locator("#import").click()
    page.locator("#import-code").fill("browser-cross")
    page.locator("#import-name").fill("Crossroads")
    page.locator("#import-file").set_input_files(
        {"name": "cross.json", "mimeType": "application/json", "buffer": content()}
    )
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator("#dialog")).to_be_hidden()
    expect(page.locator("#junction-title")).to_have_text("crossroads")
    expect(page.locator(".stage-card")).to_have_count(4)
    green = page.locator("#green-0")
    green.fill(str(int(green.input_value()) + 4))
    green.press("Enter")
    expect(page.locator("#trial-report")).to_have_attribute("data-safe", "true")
    page.locator('[data-act="draft"]').click()
    page.locator("#draft-title").fill("Longer first green")
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator("#version-title")).to_contain_text("draft")
    expect(page.locator("#differences")).to_contain_text("stage 1: green")
    page.locator('[data-act="check"]').click()
    expect(page.locator("#version-title")).to_contain_text("checked")
    expect(page.locator("#report")).to_contain_text("safe")
    page.locator('[data-act="approve"]').click()
    expect(page.locator("#act-problem")).to_contain_text("Somebody else must approve")
    path = page.evaluate("location.pathname")
    assert path.startswith("/signals/plans/")

    other = opened(visitor, path, "administrator")
    other.locator('[data-act="approve"]').click()
    expect(other.locator("#version-title")).to_contain_text("approved")

    mine = opened(visitor, path)
    mine.locator('[data-act="deploy"]').click()
    mine.locator("#dialog button[type=submit]").click()
    expect(mine.locator("#version-title")).to_contain_text("deployed")
    shot(mine, "signals-plan-en-1440")
    mine.locator('[data-act="revert"]').click()
    mine.locator("#decision-reason").fill("not better at the site")
    mine.locator("#dialog button[type=submit]").click()
    expect(mine.locator("#version-title")).to_contain_text("reverted")
    assert violations(mine) == []


def test_the_workbench_stands_on_a_narrow_screen_and_prints_its_sheet(visitor: Visitor) -> None:
    page = opened(visitor, language="zh", width=360, height=780)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    shot(page, "signals-zh-360")
    assert violations(page) == []
    page.evaluate("window.print = () => { document.body.dataset.printed = 'yes'; }")
    page.locator("#print-sheet").click()
    expect(page.locator("body[data-printed]")).to_have_count(1)
    page.emulate_media(media="print")
    expect(page.locator(".sheet-page h2")).to_contain_text("配时表")
    shot(page, "signals-sheet-zh")
