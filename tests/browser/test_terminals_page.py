"""A supervisor's terminals: a code that enrols a device, how it does, lock and end."""

from __future__ import annotations

import json
import re
import secrets
import urllib.request
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from tests.browser.pictures import shot
from tests.browser.test_drivers_journey import looked_at
from tests.terminal import Handheld

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Visitor

HEALTH = "/api/v1/terminals/health"


class Answer:
    """What came back."""

    def __init__(self, status_code: int, body: bytes) -> None:
        self.status_code = status_code
        self.body = body

    def get_json(self) -> Any:
        return json.loads(self.body)


class Line:
    """The line from a device to the running system."""

    def __init__(self, origin: str) -> None:
        self.origin = origin

    def post(self, path: str, *, data: bytes, headers: dict[str, str]) -> Answer:
        address = self.origin + path
        asked = urllib.request.Request(address, data, headers, method="POST")  # noqa: S310 - to the running system
        with urllib.request.urlopen(asked, timeout=60) as answer:  # noqa: S310 - as above
            return Answer(answer.status, answer.read())


def registered(page: Page, name: str) -> str:
    """Register a terminal and give its code."""
    page.get_by_role("button", name="Register a terminal").click()
    page.fill("#terminal-name", name)
    page.locator("#dialog").get_by_role("button", name="Register a terminal").click()
    shown = page.locator(".enrolment-code")
    expect(shown).to_have_text(re.compile(r"^[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}$"))
    return shown.inner_text()


def turned(page: Page, button: str, reason: str) -> None:
    page.locator(".panel-acts").get_by_role("button", name=button, exact=True).click()
    page.fill("#reason", reason)
    page.locator("#dialog").get_by_role("button", name=button, exact=True).click()
    expect(page.locator("#dialog")).not_to_be_visible()


def test_a_terminal_is_registered_enrolled_locked_and_revoked(visitor: Visitor) -> None:
    page = visitor.open("/terminals", "operator", width=360, height=720)
    name = f"PDA {secrets.randbelow(10**6):06}"
    code = registered(page, name)
    handheld = Handheld(Line(visitor.system.origin))
    assert handheld.enrol(code).status_code == 201
    told = {"app_version": "1.0.0", "acts_waiting": 2, "battery_percent": 12, "network": "cellular"}
    assert handheld.post(HEALTH, told).get_json()["state"] == "active"
    page.get_by_role("button", name="Done").click()
    expect(page.locator("#dialog")).not_to_be_visible()
    page.reload()
    row = page.locator("[data-row]", has_text=name)
    expect(row.locator(".tag-warning")).to_have_text("battery low")
    row.click()
    expect(page.locator("#case-content .facts").first).to_contain_text("12 %")
    expect(page.locator("[data-day]")).to_contain_text("What it told is what was paid")
    shot(page, "terminal-day-360")
    expect(page.locator("#case-content .facts").first).to_contain_text(handheld.key.thumbprint)
    turned(page, "Lock", "left in a bus")
    expect(page.locator("#case-content .tag-danger").first).to_have_text("locked")
    expect(page.locator("#case-content")).to_contain_text("left in a bus")
    assert handheld.post(HEALTH, told).get_json()["state"] == "locked"
    turned(page, "Unlock", "found again")
    expect(page.locator("#case-content .tag-good").first).to_have_text("in service")
    turned(page, "Revoke for good", "broken")
    expect(page.locator("#case-content .tag").first).to_have_text("revoked")
    expect(page.locator("#case-content .panel-acts")).to_have_count(0)


def test_an_attendants_device_enrols_signs_and_heeds_a_lock(visitor: Visitor) -> None:
    """The browser's own key and signature, as the server verifies them."""
    name = f"PDA {secrets.randbelow(10**6):06}"
    visitor.faults.expected += ["status of 403"]
    desk = visitor.open("/terminals", "operator")
    code = registered(desk, name)
    facility_id = visitor.ask("attendant", "/api/v1/facilities?limit=1")["items"][0]["id"]
    pda = visitor.watched(visitor.context("attendant", width=360, height=720))
    pda.add_init_script(f"localStorage.setItem('greenbay.post', '{facility_id}')")
    pda.goto(f"{visitor.system.origin}/attendant")
    pda.get_by_role("button", name="This device is no terminal yet").click()
    pda.fill("#enrolment-code", "0000-0000-0000")
    visitor.faults.expected += ["status of 404"]
    pda.get_by_role("button", name="Enrol this device").click()
    expect(pda.locator("#act .form-problem")).to_contain_text("no such code")
    pda.fill("#enrolment-code", code.lower())
    pda.get_by_role("button", name="Enrol this device").click()
    expect(pda.locator("#act")).to_contain_text("Enrolled: in service")
    pda.click("#act-close")
    expect(pda.get_by_role("button", name=f"Terminal {name}")).to_be_visible()
    desk.reload()
    desk.locator("[data-row]", has_text=name).click()
    expect(desk.locator("#case-content .facts").first).to_contain_text("attendant-")
    turned(desk, "Lock", "left in a bus")
    expect(desk.locator("#case-content .tag-danger").first).to_have_text("locked")
    pda.reload()
    expect(pda.locator("#home")).to_contain_text("This terminal is locked")
    expect(pda.locator("#home")).to_contain_text("left in a bus")
    turned(desk, "Unlock", "found again")
    expect(desk.locator("#case-content .tag-good").first).to_have_text("in service")
    pda.reload()
    expect(pda.get_by_role("button", name=f"Terminal {name}")).to_be_visible()


def test_a_pos_terminal_is_registered_with_a_key_shown_once_and_retired(visitor: Visitor) -> None:
    page = visitor.open("/terminals", "operator")
    page.get_by_role("button", name="POS terminals").click()
    page.wait_for_url("**/terminals?kind=pos")
    number = f"T{secrets.randbelow(10**7):07}"
    page.get_by_role("button", name="Register a POS terminal").click()
    page.fill("#pos-number", number)
    page.fill("#pos-merchant", "898330154110001")
    page.fill("#pos-name", f"Booth {number}")
    page.locator("#dialog").get_by_role("button", name="Register a POS terminal").click()
    key = page.locator(".master-key")
    expect(key).to_have_text(re.compile(r"^([0-9A-F]{4} ){7}[0-9A-F]{4}$"))
    shown = key.inner_text()
    shot(page, "terminals-pos-key")
    page.get_by_role("button", name="Done").click()
    expect(page.locator("#dialog")).not_to_be_visible()
    row = page.locator("[data-row]", has_text=number)
    row.click()
    case = page.locator("#case-content")
    expect(case).to_contain_text("It has not signed in yet.")
    expect(case).not_to_contain_text(shown)
    looked_at(page, "terminals-pos")
    turned(page, "Retire for good", "sold to another city")
    expect(case.locator(".tag").first).to_have_text("retired")
    expect(case.locator(".panel-acts")).to_have_count(0)


def test_the_citys_own_pos_terminals_sell_and_their_batches_are_seen(visitor: Visitor) -> None:
    page = visitor.open("/terminals?kind=pos", "operator", language="zh", width=360, height=720)
    row = page.locator("[data-row]", has_text="GB0")
    expect(row).to_have_count(3)
    row.first.click()
    expect(page.locator("#case-content")).to_contain_text("批次")
    looked_at(page, "terminals-pos-zh")
