"""A driver whose car has no plate yet takes a ticket at a gate, and finds it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.pictures import shot
from tests.browser.test_drivers_journey import driver_logs_in, read_code
from tests.browser.test_every_page import in_both_themes

if TYPE_CHECKING:
    from tests.browser.conftest import Visitor
    from tests.browser.system import System


def test_a_driver_without_a_plate_takes_a_ticket_and_finds_it_again(
    visitor: Visitor, system: System
) -> None:
    places = visitor.ask("operator", "/api/v1/facilities?limit=500")["items"]
    garage = next(each for each in places if each["kind"] == "garage")
    sheet = visitor.open(f"/facilities/{garage['id']}/signs", "operator")
    address = read_code(sheet.locator(".sign-print-code").first)
    assert address == f"{system.origin}/facilities/{garage['id']}/gate"

    page = visitor.open(address.removeprefix(system.origin), width=360, height=740)
    driver_logs_in(page, system)
    expect(page.locator("h1")).to_have_text(garage["name"]["en"])
    shot(page, "gate-en-360")
    page.get_by_role("button", name="Take a ticket").click()
    page.wait_for_url(f"{system.origin}/mine/tickets/*")
    letters = page.locator(".ticket-letters").inner_text()
    assert read_code(page.locator(".ticket-code")) == letters.replace("-", "")
    assert in_both_themes(page) == []
    shot(page, "ticket-en-360")

    page.get_by_role("link", name="My parking").click()
    page.get_by_role("link", name="Show ticket").first.click()
    expect(page.locator(".ticket-letters")).to_have_text(letters)
    page.goto(f"{page.url}?lang=zh")
    expect(page.locator("main")).to_contain_text("出场")
    shot(page, "ticket-zh-360")
