"""A handheld with a printer, a scan head and a card reader behind its maker's bridge."""

from __future__ import annotations

import json
import re
import secrets
import threading
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.garages import GARAGES, Garage, until
from tests.browser.pictures import shot
from tests.browser.test_attendant_offline import enrolled, kerb
from tests.browser.test_every_page import violations
from web.bridge_protocol import ORIGIN, PORT, read_receipt
from web.demo.device_bridge import Bridge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.browser.conftest import Visitor
    from tests.browser.system import System

pytestmark = pytest.mark.usefixtures("lively")
(PLATE,) = GARAGES["bridge"].plates
PAYERS_CODE = "6200000000000000029"
"""Of the demo's gateway: paid at once."""


@pytest.fixture
def bridge(lively: System) -> Iterator[Bridge]:
    with Bridge(PORT, lively.origin) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def simulate(what: str, **said: Any) -> None:
    """Do at the bridge what a person would do at the device."""
    asked = urllib.request.Request(
        f"http://127.0.0.1:{PORT}/simulate/{what}", json.dumps(said).encode(), method="POST"
    )
    with urllib.request.urlopen(asked, timeout=10):  # noqa: S310 - as above
        return


def test_a_receipt_is_no_receipt_where_a_line_is_none() -> None:
    assert isinstance(read_receipt({"id": "1", "lines": [{"pair": ["a"]}]}), str)
    assert isinstance(read_receipt({"id": "1", "lines": []}), str)
    read = read_receipt({"id": "1", "lines": [{"pair": ["停车", "¥9.00"]}, {"rule": True}]})
    assert not isinstance(read, str)
    assert read.as_text(32) == ["停车" + " " * 23 + "¥9.00", "-" * 32]


def test_a_code_is_scanned_and_a_receipt_printed_through_the_bridge(
    visitor: Visitor, lively: System, bridge: Bridge
) -> None:
    # The bridge is no origin of ours, and says once that it has no paper.
    visitor.faults.expected += ["409 (Conflict)", f"foreign request: {ORIGIN}/bridge"]
    garage = Garage(visitor, lively, GARAGES["bridge"])
    name = f"BR{secrets.token_hex(3)}"
    _, pda = enrolled(visitor, kerb(visitor, name), name)
    pda.get_by_role("button", name=f"Terminal {name}").click()
    pda.click("#bridge-look")
    expect(pda.locator("#bridge-state")).to_have_text(
        "Greenbay simulated: printer, scan head, card reader"
    )
    assert violations(pda) == []
    shot(pda, "bridge-found")
    amount = f"¥{garage.bill(PLATE)['amount']['minor'] / 100:,.2f}"
    pda.evaluate(f"localStorage.setItem('greenbay.post', '{garage.facility_id}')")
    pda.reload()
    pda.locator(".task-collect", has_text=amount).first.click()
    simulate("paper", out=True)
    pda.click("#print-receipt")
    expect(pda.locator("#printed")).to_have_text(re.compile("^No paper"))
    simulate("paper", out=False)
    pda.click("#print-receipt")
    expect(pda.locator("#printed")).to_have_text("Printed")
    shot(pda, "bridge-printed")
    (receipt,) = bridge.printed.values()
    printed = "\n".join(receipt.as_text(32))
    assert amount in printed
    assert f"[{lively.origin}/pay/" in printed
    until(lambda: bridge.heard)
    # What is read while nobody waits for it goes nowhere.
    simulate("scan", text=PAYERS_CODE)
    assert garage.bill(PLATE)["state"] == "open"
    pda.click("#scan-code")
    expect(pda.locator("#payer-code")).to_be_visible()
    simulate("scan", text=PAYERS_CODE)
    expect(pda.locator("#code-pay[data-state=paid]")).to_be_visible()
    assert garage.bill(PLATE)["state"] == "paid"
