"""A driver's whole way: find a bay, see its price, park, leave, pay; dispute a stay and be right.

A kerb of its own stands beside the demo town, whose cars and attendants do not know it: what
happens there comes from this test alone, its sensor's frames through a network server's webhook.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect

from parking.rules.sensors.frames import build
from tests.browser.garages import billed, poster, until
from tests.browser.pictures import shot
from tests.browser.test_every_page import in_both_themes

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser.conftest import Visitor
    from tests.browser.system import System

PHONE = "13800005317"
ISSUE_TOKEN = (sys.executable, "-m", "city.people", "issue-token")
HANDHELD = {"width": 360, "height": 740}


_looks = count(1)


@dataclass(frozen=True)
class Cast:
    """Who and what takes part: others each time, so that a test can be looked at once more."""

    code: str
    """Of the kerb."""
    place: tuple[float, float]
    """Some kilometres off the demo town."""
    sensor: str
    plate: str
    phone: str


def cast() -> Cast:
    """Give a kerb, a car and a driver that nobody knows yet."""
    look = next(_looks)
    return Cast(
        code=f"Q{look}",
        place=(118.52 - look / 10, 31.42),
        sensor=f"24e124fffe0d531{look}",
        plate=f"皖B5317{look}",
        phone=f"1380005317{look}",
    )


@dataclass
class Street:
    """The kerb of this test and its sensor."""

    cast: Cast
    visitor: Visitor
    system: System
    facility_id: str
    bay_id: str
    token: str
    frames: int = 0

    def says(self, *, occupied: bool) -> None:
        """Send the sensor's frame as The Things Stack does, and wait until the bay shows it."""
        port, frame = build("bosch-tps110", occupied=occupied, kind="status", counter=0)
        self.frames += 1
        at = self.now().isoformat()
        message = {
            "end_device_ids": {"device_id": "bay-7", "dev_eui": self.cast.sensor.upper()},
            "received_at": at,
            "uplink_message": {
                "f_port": port,
                "f_cnt": self.frames,
                "frm_payload": base64.b64encode(frame).decode(),
                "rx_metadata": [{"gateway_ids": {"gateway_id": "roof"}, "rssi": -97, "snr": 7.2}],
                "received_at": at,
            },
        }
        answer = self.visitor.context().request.post(
            f"{self.system.origin}/api/v1/uplinks/ttn",
            data=json.dumps(message),
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
            },
        )
        assert answer.status == 202, answer.text()
        assert len(answer.json()["accepted"]) == 1, answer.text()
        wanted = "occupied" if occupied else "free"
        until(lambda: self.bay()["state"] == wanted)

    def now(self) -> datetime:
        """Give the city's time."""
        return datetime.fromisoformat(self.visitor.ask("operator", "/api/v1/demo/clock")["now"])

    def bay(self) -> Any:
        """Give the bay as it is now."""
        path = f"/api/v1/facilities/{self.facility_id}/bays"
        return self.visitor.ask("operator", path)["items"][0]

    def minutes_pass(self, minutes: float) -> None:
        """Let the city's time go on, the sooner to be there."""
        target = self.now().timestamp() + 60 * minutes
        self.visitor.set_speed(60)
        try:
            until(lambda: self.now().timestamp() >= target)
        finally:
            self.visitor.set_speed(1)

    def bills(self) -> list[Any]:
        """Give the bills of this kerb, the newest first."""
        path = f"/api/v1/bills?facility_id={self.facility_id}"
        found: list[Any] = self.visitor.ask("finance", path)["items"]
        return found


@pytest.fixture
def street(visitor: Visitor, system: System) -> Street:
    """Register a kerb with one bay, its operator, its sensor and the network server's token."""
    visitor.set_speed(1)
    seen = cast()
    post = poster(visitor, "operator")
    tariffs = visitor.ask("operator", "/api/v1/tariffs")["items"]
    operator = post(
        "/api/v1/operators",
        {
            "code": f"quay-{seen.code}",
            "name": {"zh": "码头停车", "en": "Quay Parking"},
            "phone": "0555-2388110",
        },
    )
    district = visitor.ask("operator", "/api/v1/facilities?limit=1")["items"][0]["district"]
    facility_id = post(
        "/api/v1/facilities",
        {
            "code": seen.code,
            "district": district,
            "ownership": "roadside",
            "kind": "kerb",
            "name": {"zh": "码头路", "en": "Quay Lane"},
            "position": seen.place,
            "operator_id": operator["id"],
            "revenue_nature": "public_non_tax",
            # The hour begun is paid from the first minute on, by day and by night.
            "tariff_id": next(each["id"] for each in tariffs if each["code"] == "garage"),
            "onboarding": "live",
        },
    )["state"]["id"]
    made = post(
        f"/api/v1/facilities/{facility_id}/bays",
        {"bays": [{"label": f"{seen.code}-07", "position": seen.place}]},
    )
    bay_id = made["items"][0]["state"]["id"]
    post(
        "/api/v1/devices",
        {
            "network_key": seen.sensor,
            "model": "bosch-tps110",
            "district": district,
            "bay_id": bay_id,
        },
    )
    issued = subprocess.run(
        [*ISSUE_TOKEN, "--kind", "integration", "--subject", f"quay-{seen.code}", "--json"],
        env={**os.environ, "GREENBAY_VAR": str(system.folder / "var")},
        capture_output=True,
        check=True,
        timeout=60,
    )
    token = json.loads(issued.stdout)["token"]
    return Street(seen, visitor, system, facility_id, bay_id, token)


def looked_at(page: Page, name: str) -> None:
    """Hold a page to what every page is held to, in light and dark, and at each width."""
    shown = page.viewport_size
    for width in (360, 768, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert (name, width, wide <= 0) == (name, width, True)
        shot(page, f"{name}-{width}")
    assert (name, in_both_themes(page)) == (name, [])
    if shown is not None:
        page.set_viewport_size(shown)


def read_code(element: Locator) -> str:
    """Read a code off the screen, as a phone's camera would: nearer and farther until it can.

    OpenCV's first reader fails on three codes in a hundred at one size, and on one in a few
    hundred at all of these; its second one reads those.
    """
    pixels = cv2.imdecode(np.frombuffer(element.screenshot(), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert pixels is not None
    for scale in (1.0, 2.0, 1.5, 0.75, 3.0):
        seen = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        for reader in (cv2.QRCodeDetector(), cv2.QRCodeDetectorAruco()):
            read, _, _ = reader.detectAndDecode(seen)
            if read:
                return str(read)
    return ""


def driver_logs_in(page: Page, system: System, phone: str = PHONE) -> None:
    """Log in by phone where the page led to."""
    page.fill("#phone", phone)
    page.click("main button[type=submit]")
    page.wait_for_selector("#code")
    page.fill("#code", system.driver_code(phone))
    page.click("main button[type=submit]")


def attendant_at(visitor: Visitor, street: Street) -> Page:
    """Open the attendant's page at the kerb."""
    page = visitor.watched(visitor.context("attendant", **HANDHELD))  # type: ignore[arg-type]  # by name
    page.add_init_script(f"localStorage.setItem('greenbay.post', '{street.facility_id}')")
    page.goto(f"{visitor.system.origin}/attendant")
    page.wait_for_selector(".pda-grid .cell")
    return page


def plate_is_noted(page: Page, street: Street) -> str:
    """Note the plate at the only bay, and show its driver a code."""
    page.locator(".cell").click()
    page.get_by_role("button", name="Take the plate", exact=True).click()
    for key in street.cast.plate:
        page.locator(f'.key[data-key="{key}"]').click()
    page.locator(".thumb-bar button").click()
    expect(page.locator("#act .plate-blue")).to_be_visible()
    page.get_by_role("button", name="Show a code that binds the vehicle").click()
    code = page.locator(".stay-code-shown").inner_text()
    shot(page, "attendant-code")
    return code


def finds_the_bay(visitor: Visitor, system: System, street: Street) -> Page:
    """Read the sign, find the bay near where one wants to go, and open its page."""
    sheet = visitor.open(f"/facilities/{street.facility_id}/signs", "operator")
    address = read_code(sheet.locator(".sign-print-code").first)
    assert address == f"{system.origin}/bays/{street.bay_id}"
    looked_at(sheet, "signs")
    asked = visitor.context().request
    longitude, latitude = street.cast.place
    nearest = f"{system.origin}/api/v1/bays/nearest?longitude={longitude}&latitude={latitude}"
    found: Any = []

    def offered() -> bool:
        found[:] = asked.get(nearest).json()["items"]
        return [each["bay"]["id"] for each in found] == [street.bay_id]

    until(offered)
    assert found[0]["price_per_hour"] == {"minor": 600, "currency": "CNY"}
    page = visitor.watched(visitor.context(**HANDHELD))  # type: ignore[arg-type]  # by name
    page.goto(address)
    page.wait_for_selector("html[data-ready]")
    expect(page.locator("h1")).to_have_text(f"{street.cast.code}-07")
    expect(page.locator("main")).to_contain_text("Quay Lane")
    expect(page.locator("main")).to_contain_text("Quay Parking")
    expect(page.get_by_role("link", name="0555-2388110")).to_be_visible()
    expect(page.locator("main details").nth(1)).to_contain_text("¥6.00")
    looked_at(page, "bay")
    return page


def parks_and_binds(page: Page, visitor: Visitor, street: Street) -> Page:
    """Park; the attendant notes the plate and shows a code; bind the car with it."""
    street.says(occupied=True)
    post = attendant_at(visitor, street)
    code = plate_is_noted(post, street)
    page.locator("#start").click()
    driver_logs_in(page, street.system, street.cast.phone)
    page.wait_for_selector("html[data-ready]")
    assert page.url == f"{street.system.origin}/mine?bay={street.bay_id}"
    page.get_by_role("button", name="Bind a vehicle").first.click()
    # A browser logs every refusal by itself.
    visitor.faults.expected += ["status of 404", "status of 422"]
    page.fill("#bind-code", "WRONGCOD")
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator("#dialog .form-problem")).to_contain_text("Ask for a new one")
    page.fill("#bind-code", code)
    page.locator("#dialog button[type=submit]").click()
    card = page.locator("[data-stay]")
    expect(card).to_contain_text("Quay Lane")
    expect(card.locator(".now-number").nth(1)).to_have_text("¥6.00")
    card.locator("select").select_option(index=6)
    expect(card.locator(".now-what-if strong")).to_have_text(re.compile(r"^¥\d+\.\d\d$"))
    card.get_by_role("button", name="Plan until then").click()
    expect(card.locator(".now-planned").last).to_contain_text("Planned until")
    looked_at(page, "mine-now")
    return post


def holds_a_bay_for_later(page: Page) -> None:
    """Reserve a bay for the car, see it held, and give it back."""
    held = page.locator("#held")
    held.get_by_role("button", name="Hold a bay").click()
    page.locator("#dialog button[type=submit]").click()
    expect(held.locator("[data-reservation] .tag-good")).to_have_text("held")
    looked_at(page, "mine-held")
    held.get_by_role("button", name="Cancel").click()
    expect(held.locator("[data-reservation] .tag")).to_have_text("cancelled")
    expect(page.locator("#my-permits .empty-title")).to_have_text("Your vehicles are on no permit")


def leaves_and_pays(page: Page, post: Page, street: Street) -> None:
    """Leave without doing anything; one bill comes, and an attendant takes cash for it."""
    origin = street.system.origin
    street.minutes_pass(4)
    street.says(occupied=False)
    street.minutes_pass(12)
    until(lambda: billed(street.system, len(street.bills()) == 1))
    (first,) = street.bills()
    assert first["amount"] == {"minor": 600, "currency": "CNY"}
    page.reload()
    expect(page.locator(".open-amount strong")).to_have_text("¥6.00")
    post.goto(f"{origin}/attendant")
    post.locator(".task-collect").click()
    post.get_by_role("button", name="Take ¥6.00 in cash").click()
    post.locator(".chip-money").first.click()
    post.locator(".thumb-bar button").click()
    expect(post.locator(".cash-done-title")).to_have_text("¥6.00 paid")
    page.reload()
    row = page.locator(f'[data-bill="{first["id"]}"]')
    expect(row).to_contain_text("cash")
    row.locator("a").click()
    expect(page.locator("h1")).to_have_text("Receipt")
    expect(page.locator(".bill")).to_contain_text("cash · ¥6.00")


def comes_again_and_disputes(page: Page, street: Street) -> Any:
    """Start by the painted number, end by hand, say that the times are wrong; give the bill."""
    origin, card = street.system.origin, page.locator("[data-stay]")
    street.says(occupied=True)
    page.goto(f"{origin}/mine")
    page.fill("#start-number", f"{street.cast.code.lower()} 07")
    page.get_by_role("button", name="Start parking").click()
    expect(card).to_be_visible()
    street.minutes_pass(3)
    card.get_by_role("button", name="End parking").click()
    expect(page.locator("#dialog")).to_contain_text("¥6.00")
    page.locator("#dialog button[type=submit]").click()
    expect(card).to_have_count(0)
    street.says(occupied=False)
    street.minutes_pass(12)
    until(lambda: billed(street.system, len(street.bills()) == 2))
    second = street.bills()[0]
    page.goto(f"{origin}/mine")
    page.locator(f'[data-bill="{second["id"]}"]').wait_for()
    looked_at(page, "mine")
    page.locator(f'[data-bill="{second["id"]}"] a').click()
    page.get_by_role("button", name="Dispute this bill").click()
    page.select_option("#dispute-ground", "wrong-times")
    page.fill("#dispute-words", "I had left before the half hour")
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator(".bill-head .tag")).to_have_text("disputed, frozen")
    said = page.locator(".said")
    kinds = [each.get_attribute("data-kind") for each in said.all()]
    for kind in ("bay-arrival", "driver-start", "driver-end", "bill-issued", "bill-disputed"):
        assert kind in kinds, kinds
    expect(page.locator(".said-raw")).to_have_count(0)
    assert "device_id" not in page.content()
    looked_at(page, "bill-disputed")
    return second


def is_answered(page: Page, visitor: Visitor) -> None:
    """Let the auditor read the same without deciding, and the finance desk decide."""
    audit = visitor.open("/disputes", "auditor")
    audit.locator(".desk-row").filter(has_text="Quay Lane").first.click()
    expect(audit.locator('.said[data-kind="driver-end"]')).to_be_visible()
    expect(audit.locator(".said-raw").first).to_be_visible()
    expect(audit.locator("#case")).to_contain_text("operators and the finance desk answer")
    expect(audit.locator("[name=outcome]")).to_have_count(0)
    desk = visitor.open("/disputes", "finance")
    desk.locator(".desk-row").filter(has_text="Quay Lane").first.click()
    expect(desk.locator(".fee tfoot")).to_contain_text("¥6.00")
    desk.locator(".said-raw summary").first.click()
    looked_at(desk, "disputes")
    desk.locator("[value=upheld]").check()
    desk.fill("#answer-words", "The sensor agrees with you")
    desk.get_by_role("button", name="Answer the dispute").click()
    expect(desk.locator("#case .dispute-head .tag")).to_have_text("Upheld")
    page.reload()
    expect(page.locator(".bill-head .tag")).to_have_text("cancelled")
    expect(page.locator(".bill")).to_contain_text("The sensor agrees with you")
    expect(page.locator('.said[data-kind="dispute-upheld"]')).to_be_visible()


def sells_the_car(page: Page, street: Street, bill: Any) -> None:
    """Read the pages in Chinese, and unbind the car: its bills stay."""
    origin = street.system.origin
    page.goto(f"{origin}/mine?lang=zh")
    page.get_by_role("button", name="解绑").click()
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator("#vehicles .empty-title")).to_have_text("还没有车辆")
    expect(page.locator("[data-bill]")).to_have_count(2)
    looked_at(page, "mine-zh")
    page.goto(f"{origin}/bays/{street.bay_id}?lang=zh")
    looked_at(page, "bay-zh")
    page.goto(f"{origin}/bills/{bill['id']}")
    page.wait_for_selector(".said")
    looked_at(page, "bill-zh")


def test_a_driver_finds_prices_parks_leaves_pays_and_disputes(
    visitor: Visitor, system: System, street: Street
) -> None:
    street.says(occupied=False)
    page = finds_the_bay(visitor, system, street)
    post = parks_and_binds(page, visitor, street)
    holds_a_bay_for_later(page)
    leaves_and_pays(page, post, street)
    bill = comes_again_and_disputes(page, street)
    is_answered(page, visitor)
    sells_the_car(page, street, bill)
