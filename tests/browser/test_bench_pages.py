"""Workbenches: devices and how they do, the record of acts, the API's description."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from tests.browser.conftest import Visitor
    from tests.browser.system import System


pytestmark = pytest.mark.usefixtures("lively")

WELL_ARE_COUNTED = """() => {
    const text = (selector) => document.querySelector(selector)?.innerText.trim();
    const well = text(".tile[aria-pressed=true] .tile-number");
    return text("#device-count") === `${well} devices`;
}"""


def test_devices_are_summed_and_filtered_by_health(visitor: Visitor) -> None:
    page = visitor.open("/operations", "operator")
    page.wait_for_selector("#devices [data-device]")
    well = page.locator(".tile", has_text="Well")
    well.click()
    expect(well).to_have_attribute("aria-pressed", "true")
    # The city goes on: tile and list are looked at in one moment.
    page.wait_for_function(WELL_ARE_COUNTED)
    tags = page.locator("#devices td .tag").all_inner_texts()
    assert set(tags) == {"Well"}


def test_a_device_shows_its_places_and_its_raw_frames(visitor: Visitor) -> None:
    page = visitor.open("/operations", "engineer")
    page.locator("#devices [data-device]").first.click()
    panel = page.locator("#panel")
    expect(panel).to_contain_text("Where it has been")
    expect(panel.locator(".placements a")).to_have_attribute("href", re.compile(r"^/#bay/"))
    expect(panel.locator(".hex").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()


def test_ingest_says_which_part_does_well(visitor: Visitor) -> None:
    page = visitor.open("/operations", "operator")
    expect(page.locator("#ingest")).to_contain_text("Database")
    expect(page.locator("#ingest .tag-good")).to_have_count(4)


def test_an_unregistered_device_is_adopted_with_its_frames(
    visitor: Visitor, lively: System
) -> None:
    frame, key = "01", f"70b3d57e{secrets.token_hex(4)}"
    token = re.search(r"Bearer (gbi_\S+?)'", lively.said)
    assert token is not None
    context = visitor.context()
    response = context.request.post(
        f"{lively.origin}/api/v1/uplinks/ttn",
        headers={"Authorization": f"Bearer {token[1]}"},
        data={
            "end_device_ids": {
                "device_id": "newcomer-1",
                "dev_eui": key.upper(),
                "application_ids": {"application_id": "city"},
            },
            "received_at": "2026-03-02T01:00:00Z",
            "uplink_message": {
                "f_port": 1,
                "f_cnt": 7,
                "frm_payload": "AQ==",
                "received_at": "2026-03-02T01:00:00Z",
                "rx_metadata": [{"rssi": -97, "snr": 7.5}],
            },
        },
    )
    assert response.status == 202, response.text()
    page = visitor.open("/operations", "operator")
    row = page.locator(".unknown-device", has_text=re.compile(key, re.IGNORECASE))
    expect(row.locator(".hex")).to_have_text(frame, timeout=120_000)
    row.get_by_role("button").click()
    dialog = page.locator("#adopt")
    dialog.locator("#adopt-model").select_option("bosch-tps110")
    dialog.locator("#adopt-facility").select_option(index=1)
    dialog.get_by_role("button", name=re.compile("^Adopt", re.IGNORECASE)).click()
    expect(page.locator("#toasts")).to_contain_text("Adopted; 1 frame goes back")
    expect(row).to_have_count(0)


def test_the_record_names_acts_and_the_state_of_its_chain(visitor: Visitor) -> None:
    page = visitor.open("/audit", "auditor")
    expect(page.locator("#chain")).to_have_attribute("data-state", "good")
    expect(page.locator("#records")).to_contain_text("people.logged_in")
    page.fill("#action", "demo.speed_changed")
    page.keyboard.press("Enter")
    expect(page.locator("#records")).to_contain_text("Demo speed changed")
    expect(page.locator("#records")).not_to_contain_text("people.logged_in")
    page.fill("#action", "no.such_act")
    page.keyboard.press("Enter")
    expect(page.locator("#records")).to_contain_text("No records fit")


def test_the_api_describes_itself_on_a_page(visitor: Visitor) -> None:
    page = visitor.open("/api/docs")
    page.locator("summary", has_text="/api/v1/quotes").click()
    expect(page.locator(".operation[open]")).to_contain_text("QuoteIn")
