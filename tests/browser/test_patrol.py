"""A round on the handheld: what calls nearby in the order of a walk, also without a line."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.pictures import shot
from tests.browser.test_attendant_offline import STANDING, enrolled, fold, kerb
from tests.browser.test_every_page import violations

if TYPE_CHECKING:
    from tests.browser.conftest import Visitor

pytestmark = pytest.mark.usefixtures("lively")

PLACE = (118.66, 31.47)
"""Away from all other kerbs of tests: what is reported there calls nobody here."""
FOUND_WITHIN_S = 180.0
KEEP = "journeys.keep_patrol"
ROWS = ".patrol-list .task"


def tasks_at(visitor: Visitor, longitude: float, latitude: float) -> list[dict[str, Any]]:
    """Give what calls around a place."""
    path = f"/api/v1/patrol?longitude={longitude}&latitude={latitude}&radius_m=600"
    items: list[dict[str, Any]] = visitor.ask("operator", path)["items"]
    return items


def busiest(visitor: Visitor) -> dict[str, Any]:
    """Give a kerb of the demo town around which much calls."""
    deadline = time.monotonic() + FOUND_WITHIN_S
    facilities = visitor.ask("operator", "/api/v1/facilities?limit=500")["items"]
    kerbs: list[dict[str, Any]] = [each for each in facilities if each["kind"] == "kerb"]
    kerbs.sort(key=lambda each: -each["counts"]["occupied"])
    while True:
        for each in kerbs[:5]:
            if len(tasks_at(visitor, *each["position"])) > 3:
                return each
        assert time.monotonic() < deadline, "nothing calls anywhere"
        visitor.system.run_now(KEEP)
        time.sleep(1)


def test_a_round_leads_through_what_calls_nearby_from_where_the_attendant_stands(
    visitor: Visitor,
) -> None:
    home = busiest(visitor)
    longitude, latitude = home["position"]
    for language in ("zh", "en"):
        context = visitor.context("attendant", width=360, height=760, language=language)
        context.grant_permissions(["geolocation"])
        context.set_geolocation({"longitude": longitude, "latitude": latitude})
        page = visitor.watched(context)
        page.add_init_script(f"localStorage.setItem('greenbay.post', '{home['id']}')")
        page.goto(f"{visitor.system.origin}/attendant")
        page.click("#patrol-open")
        expect(page.locator(ROWS).first).to_be_visible()
        told = "从当前位置" if language == "zh" else "from where you are"
        expect(page.locator("#patrol-walk")).to_contain_text(told)
        numbers = page.locator(".patrol-number").all_inner_texts()
        assert numbers == [str(n + 1) for n in range(len(numbers))]
        shot(page, f"pda-round-{language}")
        assert violations(page) == []
    seen = [each["seen_at"] for each in tasks_at(visitor, longitude, latitude)]
    assert any(seen)
    page.locator(ROWS).first.click()
    expect(page.locator("#patrol-act")).to_be_visible()
    shot(page, "pda-round-task")


def test_the_list_is_there_without_a_line_and_what_was_looked_at_is_told_later(
    visitor: Visitor,
) -> None:
    visitor.faults.expected += ["ERR_INTERNET_DISCONNECTED", "Failed to load resource"]
    code = f"RD{secrets.token_hex(3)}"
    facility_id = kerb(visitor, code, PLACE)
    context, pda = enrolled(visitor, facility_id, code)
    context.grant_permissions(["geolocation"])
    bays = visitor.ask("operator", f"/api/v1/facilities/{facility_id}/bays")["items"]
    latitude = bays[0]["position"][1]
    context.set_geolocation({"longitude": PLACE[0], "latitude": latitude})
    fold(pda, "03", "Report a fault", "#report-note", "a skip stands in it")
    pda.locator(STANDING).wait_for()
    pda.get_by_role("button", name="Send now").click()
    expect(pda.locator("#outbox")).to_be_hidden()
    deadline = time.monotonic() + FOUND_WITHIN_S
    mine: list[dict[str, Any]] = []
    while not mine:
        assert time.monotonic() < deadline, "what was reported calls nobody"
        visitor.system.run_now(KEEP)
        time.sleep(1)
        mine = [
            each
            for each in tasks_at(visitor, PLACE[0], latitude)
            if each["facility_id"] == facility_id
        ]
    pda.click("#patrol-open")
    row = pda.locator(ROWS, has_text=f"{code}-03")
    expect(row).to_be_visible()
    context.set_offline(True)
    pda.reload()
    pda.click("#patrol-open")
    expect(row).to_be_visible()
    row.click()
    pda.fill("#patrol-note", "gone, the bay is free")
    shot(pda, "pda-round-offline")
    pda.click("#patrol-done")
    expect(pda.locator(".patrol-list .empty")).to_be_visible()
    assert [each["id"] for each in tasks_at(visitor, PLACE[0], latitude)] == [mine[0]["id"]]
    context.set_offline(False)
    pda.reload()
    with pda.expect_response("**/api/v1/patrol/marks"):
        pda.click("#patrol-open")
    expect(pda.locator(".patrol-list .empty")).to_be_visible()
    assert tasks_at(visitor, PLACE[0], latitude) == []
