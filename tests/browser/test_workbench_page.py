"""The signals' workbench: a green wave dragged, a plan drawn, checked, approved, reverted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from playwright.sync_api import expect

from signals.rules.life.parts import plan_json
from tests.browser.pictures import shot
from tests.browser.test_every_page import violations
from tests.signals import crossroads, drivable

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
    # Whichever was opened by itself: no look at the page while the town is opened over it.
    town = page.locator("#network option").filter(has_text="simulated").get_attribute("value")
    page.locator("#network").select_option(town)
    expect(page.locator(f'body[data-network="{town}"]')).to_have_count(1)
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
    bands_by_link(page)
    shot(page, "signals-links-en-1440")
    assert violations(page) == []


def bands_by_link(page: Page) -> None:
    """Prolong the street, and look at each link's own bands beside those through all of it."""
    page.locator('.network-signal[data-signal="J08"]').click()
    expect(page.locator(".space-time-handle")).to_have_count(3)
    expect(page.locator("#band-links")).to_be_hidden()
    page.locator("#band-kind").select_option("links")
    expect(page.locator("#band-links")).to_contain_text(" / ")
    expect(page.locator(".space-time-link")).not_to_have_count(0)


def draw_a_fifth_stage(page: Page) -> None:
    """Draw a stage by hand, look at it, and take it back."""
    page.locator("#draw-stages").click()
    expect(page.locator(".drawn-stage")).to_have_count(4)
    page.locator("#add-stage").click()
    page.locator("#stage-4-group-0").click()
    expect(page.locator("#stage-4-group-0")).to_have_attribute("aria-pressed", "true")
    page.locator("#stage-4-up").click()
    shot(page, "signals-drawing-en-1440")
    assert violations(page) == []
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator(".stage-card")).to_have_count(5)
    page.locator('[data-act="undo"]').click()
    expect(page.locator(".stage-card")).to_have_count(4)


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
    draw_a_fifth_stage(page)
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
    page.locator("#mode-street").click()
    for signal in ("J06", "J07"):
        page.locator(f'.network-signal[data-signal="{signal}"]').click()
    expect(page.locator(".space-time-handle")).to_have_count(2)
    bands_by_link(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    shot(page, "signals-zh-360")
    assert violations(page) == []
    page.evaluate("window.print = () => { document.body.dataset.printed = 'yes'; }")
    page.locator("#print-sheet").click()
    expect(page.locator("body[data-printed]")).to_have_count(1)
    page.emulate_media(media="print")
    expect(page.locator(".sheet-page h2")).to_contain_text("配时表")
    shot(page, "signals-sheet-zh")


def driven_plan(visitor: Visitor) -> str:
    """Import a crossroads whose street waits too long, with its flows, and draft a better plan."""
    found = drivable.network(1)
    context = visitor.context("engineer")
    me = context.request.get(f"{visitor.system.origin}/api/v1/me").json()

    def posted(path: str, body: dict[str, Any]) -> Any:
        headers = {"X-CSRF-Token": me["csrf_token"], "Idempotency-Key": str(uuid4())}
        answer = context.request.post(visitor.system.origin + path, data=body, headers=headers)
        assert answer.ok, answer.text()
        return answer.json()

    plans = [plan_json(each) for each in drivable.in_force(found, 12, 40)]
    content = json.dumps(drivable.document(1) | {"plans": plans})
    body = {"code": "driven", "name": "Driven crossroads", "content": content}
    network = posted("/api/v1/signal-networks", body)["id"]
    flows = [
        {"from_road": start, "to_road": end, "vph": vph}
        for start, end, vph in (
            ("0-west-in", "0-east-out", 520),
            ("0-east-in", "0-west-out", 480),
            ("0-south-in", "0-north-out", 120),
        )
    ]
    demand = {"name": "evening peak", "source": "counted by hand", "flows": flows}
    posted(f"/api/v1/signal-networks/{network}/demands", demand)
    (better,) = drivable.in_force(found, 34, 14)
    plan = {
        "network_id": network,
        "title": "Street first",
        "profile": "as-is",
        "document": {"format": "greenbay-signals/1", "plans": [plan_json(better)]},
    }
    made: str = posted("/api/v1/signal-plans", plan)["id"]
    return made


def test_a_version_is_driven_in_simulation_measured_in_words_and_replayed(
    visitor: Visitor,
) -> None:
    path = f"/signals/plans/{driven_plan(visitor)}"
    page = opened(visitor, path)
    page.locator("#drive-seeds").select_option("2")
    page.locator('[data-act="drive"]').click()
    row = page.locator('[data-figure="signal_delay_s"]')
    expect(row).to_have_attribute("data-shown", "less", timeout=180_000)
    expect(row).to_contain_text("less by")
    expect(page.locator('[data-figure="safety_violations"]')).to_contain_text("the same in every")
    expect(page.locator("#simulated")).to_contain_text("→")
    page.locator("#replay-open").click()
    expect(page.locator(".replay-canvas")).to_have_count(2)
    expect(page.locator("#replay-play")).to_be_focused()
    slider = page.locator("#replay-at")
    slider.focus()
    slider.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "10:01")
    page.locator("#replay-play").press("Enter")
    expect(slider).not_to_have_attribute("aria-valuetext", "10:01")
    page.locator("#replay-play").press("Enter")
    expect(page.locator("#replay-play")).to_have_text("Play")
    slider.fill("45")
    expect(page.locator('[data-side="before"]')).to_contain_text("10:45")
    page.locator(".replay details summary").click()
    expect(page.locator(".replay tbody tr")).to_have_count(6)
    shot(page, "signals-drive-en-1440")
    assert violations(page) == []

    # Whoever only reads sees what was measured, in the other language, on a phone.
    reader = opened(visitor, path, "auditor", language="zh", width=390, height=844)
    expect(reader.locator('[data-figure="signal_delay_s"]')).to_contain_text("减少")
    expect(reader.locator('[data-act="drive"]')).to_have_count(0)
    reader.locator("#replay-open").click()
    expect(reader.locator('[data-side="after"]')).to_contain_text("视野内")
    assert reader.evaluate("document.documentElement.scrollWidth") <= 390
    shot(reader, "signals-drive-zh-390")
    assert violations(reader) == []
