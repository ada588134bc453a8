"""A whole shift on a handheld: from signing in to a bag of cash that is what the ledger says."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from parking.rules.sensors.frames import build
from tests.browser.garages import Garage, garage_of, integration_token, poster
from tests.browser.pictures import shot
from tests.browser.test_attendant_offline import STANDING, enrolled, kerb, ten_seconds_last
from tests.browser.test_drivers_journey import read_code
from tests.browser.test_every_page import violations, widths_too_narrow
from tests.browser.test_pay_page import pays_on_the_channels_page, phone
from tests.web.small_site import ttn_message

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Visitor
    from tests.browser.system import System

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
MOST_BYTES = 300_000
DRAWN = {"sensor-task", "plate", "bill", "code", "offline", "count", "closed"}
PRINTED = """() => {
    window.print = () => { document.body.dataset.printed = document.documentElement.className; };
}"""
ROLL_PX = 164.4
"""58 mm, as a PDF counts."""
AMOUNT = "¥6.00"
PAYERS_CODE = "6200000000000000029"
"""Of the demo's gateway: paid at once."""


def pictured(page: Page, name: str) -> None:
    """Look at the page, at the width of a handheld; drawn for the documentation when asked for."""
    assert (name, violations(page)) == (name, [])
    assert (name, widths_too_narrow(page, (360,))) == (name, [])
    shot(page, f"shift-{name}")
    if name in DRAWN and os.environ.get("GREENBAY_SCREENSHOTS") == "1":
        path = IMAGES / f"shift-{name}-360.png"
        page.screenshot(path=path)
        assert path.stat().st_size <= MOST_BYTES


class Street:
    """A kerb of this test's own, with a sensor in its first bay."""

    def __init__(self, visitor: Visitor, system: System) -> None:
        self.visitor, self.system = visitor, system
        code = f"WS{secrets.token_hex(3)}"
        self.id = kerb(visitor, code)
        bay = visitor.ask("operator", f"/api/v1/facilities/{self.id}/bays")["items"][0]
        self.key = f"24e124{secrets.token_hex(5)}"
        district = visitor.ask("operator", f"/api/v1/facilities/{self.id}")["district"]
        device = {"network_key": self.key, "model": "bosch-tps110", "district": district}
        poster(visitor, "operator")("/api/v1/devices", {**device, "bay_id": bay["id"]})

    def car_comes(self) -> None:
        """Let the sensor say that a car stands over it."""
        now = self.visitor.city_time()
        port, frame = build("bosch-tps110", occupied=True, kind="status", counter=0)
        answer = self.visitor.context().request.post(
            f"{self.system.origin}/api/v1/uplinks/ttn",
            data=ttn_message(self.key, port, frame.hex(), 1, now),
            headers={"Authorization": f"Bearer {integration_token(self.system)}"},
        )
        assert answer.ok, answer.text()


@pytest.fixture
def garage(visitor: Visitor, lively: System) -> Garage:
    return garage_of("shift", visitor, lively)


def begin(pda: Page) -> None:
    """Begin a shift at the post; one that a failed look left open goes on."""
    pda.click("#shift-open")
    pda.wait_for_selector(".shift .panel-acts")
    if pda.locator("[data-shift=open]").count() == 0:
        pda.get_by_role("button", name=re.compile("^Begin a shift")).click()
    expect(pda.locator("[data-shift=open]")).to_be_visible()
    pictured(pda, "begun")
    pda.click("#act-close")


def answer_the_sensor(pda: Page) -> None:
    """Take the plate that a sensor calls for."""
    task = pda.locator(".task-plate")
    expect(task).to_contain_text("take the plate")
    pictured(pda, "sensor-task")
    task.click()
    for key in "皖B70035":
        pda.locator(f'.key[data-key="{key}"]').click()
    pictured(pda, "plate")
    pda.get_by_role("button", name="Attach").click()
    expect(pda.locator(".outbox-words")).to_contain_text("Plate 皖B70035")
    pda.get_by_role("button", name="Send now").click()
    expect(pda.locator("#outbox")).to_be_hidden()
    # Paid ahead for four hours: the fee is the city's, and by when the car can leave.
    pda.click("#take-ahead")
    pda.locator("#ahead [data-hours='4']").click()
    expect(pda.locator("#ahead .thumb-bar button")).to_contain_text("in cash")
    pictured(pda, "ahead")
    pda.locator("#ahead .thumb-bar button").click()
    pda.locator(".chip-money").first.click()
    pda.locator(".thumb-bar button").click()
    expect(pda.locator("#leave-by")).to_contain_text("pays nothing more")
    pda.get_by_role("button", name="Done").click()
    pda.click("#act-close")


def collect(pda: Page, left: int) -> None:
    """Open one of the bills that are left to be collected."""
    expect(pda.locator(".task-collect")).to_have_count(left)
    pda.locator(".task-collect").first.click()
    expect(pda.locator(".bill-summary .fee tfoot .amount")).to_have_text(AMOUNT)


def by_card(pda: Page, reader: str) -> None:
    pda.click("#take-card")
    pda.fill("#card-reader", reader)
    pictured(pda, "card")
    pda.locator("#card-reader").press("Enter")
    expect(pda.locator(".cash-done-title")).to_contain_text(f"{AMOUNT} paid")
    pda.get_by_role("button", name="Done").click()


def by_scanned_code(pda: Page) -> None:
    pda.click("#scan-code")
    pda.fill("#payer-code", PAYERS_CODE)
    pda.locator("#payer-code").press("Enter")
    expect(pda.locator(".cash-done-title")).to_contain_text(f"{AMOUNT} paid")
    pictured(pda, "scanned")
    pda.get_by_role("button", name="Done").click()


def by_shown_code(pda: Page, garage: Garage) -> None:
    pda.click("#show-code")
    image = pda.locator(".pay-code img")
    expect(image).to_be_visible()
    pictured(pda, "code")
    address = read_code(image)
    driver = phone(garage, address.removeprefix(garage.system.origin))
    driver.locator("[data-channel=alipay]").click()
    driver.locator("[data-state=open] #go").wait_for()
    pays_on_the_channels_page(driver)
    expect(pda.locator(".arrears-code[data-paid]")).to_contain_text(f"{AMOUNT} paid online")
    pda.get_by_role("button", name="Done").click()


def in_cash_without_a_line(pda: Page) -> None:
    """Take cash offline; it waits, and goes when the line is back."""
    pda.context.set_offline(True)
    expect(pda.locator(STANDING)).to_be_visible()
    with ten_seconds_last(pda):
        collect(pda, 1)
        pda.get_by_role("button", name=f"Take {AMOUNT} in cash").click()
        pda.get_by_role("button", name=f"{AMOUNT} exactly").click()
        pda.locator(".thumb-bar button").click()
        expect(pda.locator(".cash-done-title")).to_have_text(f"{AMOUNT} paid")
        pda.get_by_role("button", name="Done").click()
        expect(pda.locator(STANDING)).to_have_text("Offline, 1 waiting")
        pictured(pda, "offline")
        pda.context.set_offline(False)
        pda.get_by_role("button", name="Send now").click()
        expect(pda.locator("#outbox")).to_be_hidden()


def receipt(visitor: Visitor, bill_id: str) -> None:
    """Print a bill on a handheld's roll: as narrow as it is, with the code of its own page."""
    page = visitor.open(f"/bills/{bill_id}", "attendant", language="zh", width=360, height=740)
    page.evaluate(PRINTED)
    page.click("#print-58")
    expect(page.locator("body[data-printed~=print-narrow]")).to_have_count(1)
    page.evaluate("document.documentElement.classList.add('print-narrow')")
    found = re.search(rb"/MediaBox \[0 0 ([0-9.]+) ", page.pdf(prefer_css_page_size=True))
    assert found is not None
    assert float(found[1]) == pytest.approx(ROLL_PX, abs=1)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 220, "height": 740})
    code = page.locator(".receipt-code img")
    expect(code).to_be_visible()
    shot(page, "shift-receipt")
    address = read_code(code)
    assert re.fullmatch(rf"{visitor.system.origin}/pay/[\w-]+", address)
    # Whoever holds the receipt reads it, without an account.
    expect(visitor.open(address.removeprefix(visitor.system.origin)).locator("h1")).to_have_text(
        "Receipt"
    )


def close(pda: Page, visitor: Visitor) -> Any:
    """Count the bag blind, with what the ledger says in it; give the shift as it was counted."""
    mine = visitor.ask("attendant", "/api/v1/shifts/mine")
    left = mine["carried"]["minor"]
    pda.click("#shift-open")
    pda.get_by_role("button", name="End shift").click()
    for face in sorted(mine["faces"], reverse=True):
        pieces, left = divmod(left, face)
        pda.fill(f"#piece-{face}", str(pieces))
    assert left == 0, "what is carried comes in notes and coins"
    pictured(pda, "count")
    pda.get_by_role("button", name="End shift").click()
    expect(pda.locator("[data-shift=counted]")).to_contain_text("¥0.00")
    pictured(pda, "closed")
    return visitor.ask("attendant", "/api/v1/shifts/mine")["shift"]


def test_a_whole_shift_from_signing_in_to_a_bag_that_balances(
    visitor: Visitor, lively: System, garage: Garage
) -> None:
    visitor.faults.expected += ["ERR_INTERNET_DISCONNECTED", "Failed to load resource"]
    street = Street(visitor, lively)
    street.car_comes()
    visitor.set_speed(30)  # a minute goes by before a car that may be turning round is a task
    _, pda = enrolled(visitor, street.id, f"PDA {street.key[-6:]}")
    begin(pda)
    pda.wait_for_selector(".task-plate")
    visitor.set_speed(1)
    answer_the_sensor(pda)
    pda.evaluate(f"localStorage.setItem('greenbay.post', '{garage.facility_id}')")
    pda.reload()
    pda.get_by_role("button", name=re.compile("more")).click()
    reader = f"04:7F:22:B2:{secrets.token_hex(3)}"
    desk = poster(visitor, "attendant")
    desk("/api/v1/cards", {"reader": reader})
    desk("/api/v1/cards/top-ups", {"reader": reader, "amount": {"minor": 1000, "currency": "CNY"}})
    collect(pda, 4)
    pictured(pda, "bill")
    by_card(pda, reader)
    collect(pda, 3)
    by_scanned_code(pda)
    collect(pda, 2)
    by_shown_code(pda, garage)
    in_cash_without_a_line(pda)
    paid = [garage.bill(plate)["payment"]["channel"] for plate in garage.plan.plates]
    assert sorted(paid) == ["alipay", "card", "cash", "unionpay"]
    receipt(visitor, garage.bill(garage.plan.plates[0])["id"])
    shift = close(pda, visitor)
    assert shift["difference"]["minor"] == 0
    approval = f"/api/v1/shifts/{shift['id']}/approvals"
    assert poster(visitor, "finance")(approval, {"answer": ""})["state"] == "approved"
