"""An attendant's shift on a handheld: the plate, the explained bill, the cash."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Visitor

pytestmark = pytest.mark.usefixtures("lively")

HANDHELD = {"width": 360, "height": 720}


def at_post(visitor: Visitor, facility_id: str, **how: Any) -> Page:
    """Open the page at a post."""
    page = visitor.watched(visitor.context("attendant", **(HANDHELD | how)))
    page.add_init_script(f"localStorage.setItem('greenbay.post', '{facility_id}')")
    page.goto(f"{visitor.system.origin}/attendant")
    page.wait_for_selector(".pda-grid .cell")
    return page


def with_open_stay(visitor: Visitor) -> str:
    """Give a facility where a car stands without a plate."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        stays = visitor.ask("attendant", "/api/v1/sessions?state=open&limit=500")["items"]
        for stay in stays:
            if stay["plate"] is None:
                return str(stay["facility_id"])
        time.sleep(1)
    raise AssertionError("no car stands without a plate")


def test_the_post_is_chosen_once_and_remembered(visitor: Visitor) -> None:
    page = visitor.open("/attendant", "attendant", **HANDHELD)
    page.fill("#post-search", "library")
    page.locator(".post-choice").click()
    expect(page.locator(".post-name")).to_have_text("Library Garage")
    page.reload()
    expect(page.locator(".post-name")).to_have_text("Library Garage")


def test_a_plate_is_typed_key_by_key_and_attached(visitor: Visitor) -> None:
    # Nobody else may act meanwhile: the city stands still.
    visitor.stand_still()
    try:
        page = at_post(visitor, with_open_stay(visitor))
        cell = page.locator(".cell.needs-plate").first
        number = cell.locator(".cell-number").inner_text()
        cell.click()
        page.get_by_role("button", name="Take the plate", exact=True).click()
        submit = page.locator(".thumb-bar button")
        expect(submit).to_be_disabled()
        page.get_by_role("button", name="New energy", exact=True).click()
        for key in "皖BD12345":
            page.locator(f'.key[data-key="{key}"]').click()
        expect(submit).to_have_text(f"Attach 皖B·D12345 to bay {number}")
        submit.click()
        expect(page.locator("#act .plate-green")).to_be_visible()
        expect(page.locator("#act-title")).to_have_text(f"Bay {number}")
        assert "12345" not in page.locator("#act .plate-green").inner_text()
    finally:
        visitor.set_speed(1)


def test_the_next_plate_begins_where_most_do(visitor: Visitor) -> None:
    visitor.stand_still()
    try:
        page = at_post(visitor, with_open_stay(visitor))
        page.evaluate("localStorage.setItem('greenbay.plate_prefix', '皖B')")
        page.locator(".cell.needs-plate").first.click()
        page.get_by_role("button", name="Take the plate", exact=True).click()
        expect(page.locator(".plate-typing")).to_have_text("皖B")
        expect(page.locator(".pad")).to_have_attribute("data-pad", "serial")
    finally:
        visitor.set_speed(1)


def open_bill(visitor: Visitor) -> Any:
    """Let the city run until somebody left without paying, then stop it."""
    visitor.set_speed(60)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        bills = visitor.ask("attendant", "/api/v1/bills?state=open&limit=50")["items"]
        owed = [bill for bill in bills if bill["amount"]["minor"] > 0]
        if owed:
            visitor.stand_still()
            # Whoever was about to pay it has now done so, or will not while time stands still.
            again = visitor.ask("attendant", f"/api/v1/bills/{owed[0]['id']}")
            if again["state"] == "open":
                return again
            visitor.set_speed(60)
        time.sleep(1)
    raise AssertionError("nobody left without paying")


def test_cash_is_taken_with_its_consequence_in_words(visitor: Visitor) -> None:
    try:
        bill = open_bill(visitor)
        due_minor = bill["amount"]["minor"]
        page = at_post(visitor, bill["facility_id"])
        page.evaluate("document.querySelector('.button-quiet:not([hidden])')?.click()")
        amount = f"¥{due_minor / 100:,.2f}"
        page.locator(".task-collect", has_text=amount).first.click()
        expect(page.locator(".fee tfoot .amount")).to_have_text(amount)
        page.get_by_role("button", name=f"Take {amount} in cash").click()
        submit = page.locator(".thumb-bar button")
        expect(submit).to_be_disabled()
        page.fill("#tendered", f"{(due_minor - 1) / 100:.2f}")
        expect(page.locator(".cash-change")).to_have_text("Too little, missing¥0.01")
        page.fill("#tendered", f"{(due_minor + 375) / 100:.2f}")
        expect(page.locator(".cash-back")).to_have_text("¥3.75")
        expect(submit).to_have_text(f"Take ¥{(due_minor + 375) / 100:,.2f}, give ¥3.75 back")
        submit.click()
        expect(page.locator(".cash-done-title")).to_have_text(f"{amount} paid")
        expect(page.locator(".cash-back")).to_have_text("¥3.75")
        page.click("text=Bill and receipt")
        expect(page.locator(".bill .tag")).to_have_text("paid")
        expect(page.locator(".bill .fee tfoot .amount")).to_have_text(amount)
    finally:
        visitor.set_speed(1)


def test_targets_for_the_thumb_are_large_enough(visitor: Visitor) -> None:
    page = at_post(visitor, with_open_stay(visitor))
    for selector in (".task", ".cell"):
        box = page.locator(selector).first.bounding_box()
        assert box is not None
        assert box["height"] >= 72
    page.locator(".cell").first.click()
    thumb = page.locator(".thumb-bar button, .panel-body").first
    expect(thumb).to_be_visible()


def test_on_a_broken_line_the_post_says_how_old_it_is(visitor: Visitor) -> None:
    visitor.faults.expected += ["ERR_INTERNET_DISCONNECTED", "Failed to load resource"]
    page = at_post(visitor, with_open_stay(visitor))
    page.context.set_offline(True)
    expect(page.locator(".post-age")).to_have_text(re.compile("Not updating"))
    assert page.locator(".cell").count() > 0
    page.context.set_offline(False)
    expect(page.locator(".post-age")).to_have_text(re.compile("^Updated"))
