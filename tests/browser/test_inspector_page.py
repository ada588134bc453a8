"""An inspector's round: what calls, a plate looked up anywhere, codes and slips; no money taken."""

from __future__ import annotations

import secrets
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.garages import poster, until
from tests.browser.pictures import shot
from tests.browser.test_attendant_offline import a_street
from tests.browser.test_every_page import violations, widths_too_narrow
from tests.browser.test_patrol import FOUND_WITHIN_S, KEEP, ROWS, busiest

if TYPE_CHECKING:
    from tests.browser.conftest import Visitor

pytestmark = pytest.mark.usefixtures("lively")


def taken_for_works(visitor: Visitor, home: dict[str, Any]) -> str:
    """Take a bay where a car stands out for works; give its label once that calls for a look."""
    longitude, latitude = home["position"]
    bays = visitor.ask("operator", f"/api/v1/facilities/{home['id']}/bays")["items"]
    bay: dict[str, Any] = next(each for each in bays if each["state"] == "occupied")
    path = f"/api/v1/patrol?longitude={longitude}&latitude={latitude}&kinds=forbidden"
    now = datetime.fromisoformat(visitor.ask("operator", path)["at"])
    poster(visitor, "operator")(
        f"/api/v1/facilities/{home['id']}/suspensions",
        {
            "permit_no": f"W-{secrets.token_hex(3)}",
            "from_at": now.isoformat(),
            "until_at": (now + timedelta(hours=2)).isoformat(),
            "bay_ids": [bay["id"]],
        },
    )
    deadline = time.monotonic() + FOUND_WITHIN_S
    while not [
        each for each in visitor.ask("operator", path)["items"] if each["bay_id"] == bay["id"]
    ]:
        assert time.monotonic() < deadline, "a car in a bay taken for works calls nobody"
        visitor.system.run_now(KEEP)
        time.sleep(1)
    return str(bay["label"])


def photos_at(visitor: Visitor, facility_id: str, label: str) -> list[Any]:
    """Give the photos of the stay in a bay."""
    path = f"/api/v1/sessions?facility_id={facility_id}&state=open&limit=500"
    stays = visitor.ask("operator", path)["items"]
    stay = next(each for each in stays if each["bay_label"] == label)
    found: list[Any] = visitor.ask("operator", f"/api/v1/sessions/{stay['id']}/photos")["items"]
    return found


def test_an_inspector_sees_what_calls_looks_a_plate_up_and_cannot_take_money(
    visitor: Visitor,
) -> None:
    visitor.faults.expected += ["ERR_INTERNET_DISCONNECTED", "Failed to load resource"]
    home = busiest(visitor)
    label = taken_for_works(visitor, home)
    for language, width in (("zh", 360), ("en", 1280)):
        context = visitor.context("inspector", width=width, height=760, language=language)
        page = visitor.watched(context)
        page.add_init_script(f"localStorage.setItem('greenbay.beat', '{home['id']}')")
        page.goto(f"{visitor.system.origin}/inspector")
        expect(page.locator("[data-group=inspect]")).to_have_attribute("aria-pressed", "true")
        expect(page.locator(ROWS).first).to_be_visible()
        expect(page.locator(f"{ROWS}[data-task=plate]")).to_have_count(0)
        # Of all that an inspector looks at, what a slow city calls most may fill the list.
        page.click("[data-group=forbidden]")
        row = page.locator(f"{ROWS}[data-task=forbidden]", has_text=label)
        expect(row).to_be_visible()
        shot(page, f"inspector-{language}")
        assert violations(page) == []
        assert widths_too_narrow(page, (width,)) == []
    page.click("[data-group=plate]")
    expect(page.locator(f"{ROWS}[data-task=plate]").first).to_be_visible()
    expect(row).to_have_count(0)
    page.click("[data-group=forbidden]")
    row.click()
    page.click("#patrol-act")
    expect(page.locator("#act-content .bill-line")).to_be_visible()
    shot(page, "inspector-stay")
    page.click("#act-close")
    page.click("#look-up")
    page.fill("#arrears-plate", "京A99999")
    page.locator("#act-content button[type=submit]").click()
    expect(page.locator(".arrears-found .empty")).to_be_visible()
    expect(page.locator("#arrears-cash")).to_have_count(0)
    shot(page, "inspector-look-up")
    assert violations(page) == []
    page.click("#act-close")
    row.click()
    page.context.set_offline(True)
    page.set_input_files("#round-photo", files=[a_street()])
    expect(page.locator("#round-photos")).to_have_text("1 photo waiting")
    page.locator("#round-photos").scroll_into_view_if_needed()
    shot(page, "inspector-photo")
    page.context.set_offline(False)
    until(lambda: bool(photos_at(visitor, home["id"], label)))
    expect(page.locator("#round-photos")).to_be_hidden()
    (photo,) = photos_at(visitor, home["id"], label)
    assert photo["state"] in {"raw", "hidden"}
    page.fill("#patrol-note", "fence stands round it, no car")
    page.click("#patrol-done")
    expect(row).to_have_count(0)
