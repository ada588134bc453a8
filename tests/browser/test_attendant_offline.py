"""An attendant's terminal on a street without a line: nothing is lost, and nothing counts twice."""

from __future__ import annotations

import json
import os
import re
import secrets
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect

from city.vehicles import PlateKind
from lpr.synthesis.scenes import draw_scene
from tests.browser.garages import GARAGES, Garage, poster
from tests.browser.pictures import shot
from tests.browser.test_every_page import violations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import BrowserContext, FilePayload, Page

    from tests.browser.conftest import Visitor
    from tests.browser.system import System

pytestmark = pytest.mark.usefixtures("lively")

PLACE = (118.57, 31.47)
STANDING = ".outbox-standing"
(PLATE,) = GARAGES["offline"].plates
FIRST_ANSWER_IS_LOST = """() => {
    const [real, path] = [window.fetch, '/terminals/acts'];
    let lost = 0;
    window.fetch = async (address, how) => {
        const answer = await real(address, how);
        if (String(address).endsWith(path) && lost++ === 0) throw new TypeError('lost');
        return answer;
    };
}"""
FIRST_PHOTO_IS_REFUSED = """() => {
    const [real, path] = [window.fetch, '/terminals/photos'];
    let refused = 0;
    window.fetch = (address, how) => String(address).endsWith(path) && refused++ === 0
        ? Promise.resolve(Response.json({ reason: 'id-used' }, { status: 409 }))
        : real(address, how);
}"""
SEED = 13
"""Of a drawn street whose plate the reader reads."""
KEPT_MS = "performance.getEntriesByName('greenbay-act-kept').map(({ duration }) => duration)"


def kerb(visitor: Visitor, code: str, place: tuple[float, float] = PLACE) -> str:
    """Register three bays at a kerb that no sensor sees and nobody else walks."""
    post = poster(visitor, "operator")
    demo = visitor.ask("operator", "/api/v1/facilities?limit=1")["items"][0]
    tariffs = visitor.ask("operator", "/api/v1/tariffs")["items"]
    facility = {
        "code": code,
        "district": demo["district"],
        "ownership": "roadside",
        "kind": "kerb",
        "name": {"zh": "渡口路", "en": "Ferry Road"},
        "position": place,
        "operator_id": visitor.ask("operator", "/api/v1/operators")["items"][0]["id"],
        "revenue_nature": "public_non_tax",
        "tariff_id": next(each["id"] for each in tariffs if each["code"] != "garage"),
        "onboarding": "live",
    }
    made = post("/api/v1/facilities", facility)["state"]["id"]
    latitude = place[1] + secrets.randbelow(1000) / 10_000  # no bay lies over another
    bays = [
        {"label": f"{code}-0{n}", "position": (place[0] + n / 1000, latitude)} for n in (1, 2, 3)
    ]
    post(f"/api/v1/facilities/{made}/bays", {"bays": bays})
    return str(made)


def enrolled(
    visitor: Visitor, facility_id: str, name: str, who: str = "attendant"
) -> tuple[BrowserContext, Page]:
    """Make a fresh device a terminal, at a post, with the app kept on it."""
    district = visitor.ask("operator", f"/api/v1/facilities/{facility_id}")["district"]
    body = {"name": name, "district": district}
    code = poster(visitor, "operator")("/api/v1/terminals", body)["code"]
    context = visitor.context(who, width=360, height=720, service_workers="allow")
    pda = visitor.watched(context)
    pda.goto(f"{visitor.system.origin}/attendant")
    pda.evaluate(f"localStorage.setItem('greenbay.post', '{facility_id}')")
    pda.reload()
    pda.get_by_role("button", name="This device is no terminal yet").click()
    pda.fill("#enrolment-code", code)
    with pda.expect_response(re.compile("/api/v1/terminals/sign-ins$")):
        pda.get_by_role("button", name="Enrol this device").click()
    pda.wait_for_selector("html[data-app=kept]", state="attached")
    with pda.expect_response(re.compile("/api/v1/terminals/sign-ins$")) as signed_in:
        pda.reload()
    assert signed_in.value.status == 201
    pda.wait_for_selector(".pda-grid .cell")
    return context, pda


@contextmanager
def ten_seconds_last(pda: Page) -> Iterator[None]:
    """Let the time in which an act can be undone not pass: this machine may have other work."""
    pda.evaluate("() => { const now = Date.now(); window.was = Date.now; Date.now = () => now; }")
    yield
    pda.evaluate("() => { Date.now = window.was; }")


def begin(pda: Page, number: str, plate: str) -> None:
    """Note a vehicle in a bay that nothing is known of."""
    pda.locator(".cell", has_text=number).click()
    pda.get_by_role("button", name="A vehicle stands here").click()
    while pda.locator(".key-erase").is_enabled():
        pda.locator(".key-erase").click()
    for key in plate:
        pda.locator(f'.key[data-key="{key}"]').click()
    pda.get_by_role("button", name="Attach").click()
    expect(pda.locator(".outbox-words")).to_have_text(f"Plate {plate} in bay {number}")
    pda.click("#act-close")


def fold(pda: Page, number: str, title: str, field: str, words: str) -> None:
    """Do what lies behind a word at a bay."""
    pda.locator(".cell", has_text=number).click()
    pda.locator("summary", has_text=title).click()
    pda.fill(field, words)
    pda.locator("details[open] button[type=submit]").click()
    expect(pda.locator("#act")).to_be_hidden()


def acts_of(visitor: Visitor, name: str) -> list[tuple[int, str, str]]:
    """Give what the city has of the terminal: number, kind, outcome."""
    terminals = visitor.ask("operator", "/api/v1/terminals?limit=100")["items"]
    mine = next(each for each in terminals if each["name"] == name)
    assert mine["acts"]["missing"] == 0
    found = visitor.ask("operator", f"/api/v1/terminals/acts?terminal_id={mine['id']}&limit=100")
    return sorted((each["sequence"], each["kind"], each["outcome"]) for each in found["items"])


def know_a_fee(pda: Page) -> None:
    """Note a vehicle on line, so that what it will come to is known without one."""
    with pda.expect_response(re.compile("/fee-course$")) as told, ten_seconds_last(pda):
        begin(pda, "02", "皖B72103")
        pda.get_by_role("button", name="Send now").click()
    assert told.value.status == 200
    expect(pda.locator("#outbox")).to_be_hidden()


def work_without_a_line(pda: Page) -> None:
    """Note a vehicle, take one back, report a bay, look at a fee."""
    expect(pda.locator(STANDING)).to_have_text("Offline: what you do is kept here and sent later")
    with ten_seconds_last(pda):
        begin(pda, "01", "皖B72101")
        expect(pda.locator(STANDING)).to_have_text("Offline, 1 waiting")
        pda.locator(".cell", has_text="01").click()
        # Nobody could be asked about it: its fee is read off the tariff's own tables.
        expect(pda.locator(".fee-ahead")).to_have_text(re.compile(r"^¥\d"))
        shot(pda, "pda-fee-begun")
        pda.click("#act-close")
        shot(pda, "pda-undo")
        begin(pda, "03", "皖B72102")
        pda.get_by_role("button", name="Undo").click()
        expect(pda.locator(STANDING)).to_have_text("Offline, 1 waiting")
    expect(pda.locator(".cell", has_text="03").locator(".plate")).to_have_count(0)
    fold(pda, "03", "Report a fault", "#report-note", "a skip stands in it")
    expect(pda.locator(STANDING)).to_have_text("Offline, 2 waiting")
    pda.locator(".cell", has_text="02").click()
    expect(pda.locator(".fee-ahead")).to_have_text(re.compile(r"^¥\d"))
    shot(pda, "pda-fee")
    take_ahead(pda)


def take_ahead(pda: Page) -> None:
    """Take cash for an hour ahead, as this device's own table of the fee says."""
    pda.click("#take-ahead")
    expect(pda.locator("#ahead .fee-ahead")).to_have_text(re.compile(r"^¥\d"))
    shot(pda, "pda-ahead-offline")
    pda.locator("#ahead .thumb-bar button").click()
    pda.get_by_role("button", name="exactly").click()
    pda.locator(".thumb-bar button").click()
    expect(pda.locator(".cash-done-title")).to_be_visible()
    expect(pda.locator(STANDING)).to_have_text("Offline, 3 waiting")
    pda.click("#act-close")


def start_anew_without_a_line(pda: Page, origin: str) -> None:
    """Load the page again and again: app, words, bays and what waits are there."""
    pda.reload()
    expect(pda.locator(STANDING)).to_have_text("Offline, 3 waiting")
    expect(pda.locator(".cell", has_text="01").locator(".plate")).to_be_visible()
    expect(pda.locator(".post-age")).to_have_text(re.compile("Not updating"))
    fold(pda, "01", "Drove off without paying", "#escape-words", "asked, and drove off")
    expect(pda.locator(".cell", has_text="01").locator(".plate")).to_have_count(0)
    pda.goto(f"{origin}/attendant?lang=zh")
    expect(pda.locator(STANDING)).to_have_text("离线，4 条待上传")
    pda.locator(STANDING).click()
    expect(pda.locator(".outbox-acts > li")).to_have_count(4)
    shot(pda, "pda-waiting-zh")
    assert violations(pda) == []
    pda.close()


def take_cash(pda: Page, amount: str) -> None:
    """Take what a bill comes to; it waits."""
    pda.locator(".task-collect", has_text=amount).first.click()
    pda.get_by_role("button", name=f"Take {amount} in cash").click()
    pda.get_by_role("button", name=f"{amount} exactly").click()
    pda.locator(".thumb-bar button").click()


def test_a_shift_goes_on_without_a_line_and_each_act_counts_once(
    visitor: Visitor, lively: System
) -> None:
    visitor.faults.expected += ["ERR_INTERNET_DISCONNECTED", "Failed to load resource"]
    garage = Garage(visitor, lively, GARAGES["offline"])
    code = f"OF{secrets.token_hex(3)}"  # its own, also where all is looked at once more
    context, pda = enrolled(visitor, kerb(visitor, code), code)
    know_a_fee(pda)
    context.set_offline(True)
    work_without_a_line(pda)
    keep_figures(pda)
    start_anew_without_a_line(pda, lively.origin)
    pda = visitor.watched(context)  # the device is started anew
    pda.goto(f"{lively.origin}/attendant?lang=en")
    expect(pda.locator(STANDING)).to_have_text("Offline, 4 waiting")
    pda.evaluate(FIRST_ANSWER_IS_LOST)
    context.set_offline(False)
    expect(pda.locator("#outbox")).to_be_hidden()
    kinds = ["plate", "plate", "report", "ahead", "escape"]
    sent = [(place, kind, "done") for place, kind in enumerate(kinds, 1)]
    assert acts_of(visitor, code) == sent
    free_with_a_photo(pda, context)
    sent.append((6, "exempt", "done"))
    assert acts_of(visitor, code) == sent
    facility_id = pda.evaluate("localStorage.getItem('greenbay.post')")
    stays = visitor.ask("operator", f"/api/v1/sessions?facility_id={facility_id}")["items"]
    freed = next(each for each in stays if each["exempt"] == "disabled-permit")
    (photo,) = visitor.ask("operator", f"/api/v1/sessions/{freed['id']}/photos")["items"]
    assert photo["state"] in {"raw", "hidden"}
    read_a_plate(pda)

    amount = f"¥{garage.bill(PLATE)['amount']['minor'] / 100:,.2f}"
    pda.evaluate(f"localStorage.setItem('greenbay.post', '{garage.facility_id}')")
    pda.reload()
    pda.wait_for_selector(".task-collect")
    context.set_offline(True)
    expect(pda.locator(STANDING)).to_be_visible()
    with ten_seconds_last(pda):
        take_cash(pda, amount)
        expect(pda.locator(".cash-done-title")).to_have_text(f"{amount} paid")
        expect(pda.locator(".outbox-words")).to_have_text(f"{amount} taken in cash")
        shot(pda, "pda-cash")
        assert garage.bill(PLATE)["state"] == "open"
        context.set_offline(False)
        pda.get_by_role("button", name="Send now").click()
        expect(pda.locator("#outbox")).to_be_hidden()
    assert acts_of(visitor, code) == [*sent, (7, "cash", "done")]
    assert garage.bill(PLATE)["state"] == "paid"
    pda.click("#act-close")
    pda.click("#day-open")
    expect(pda.locator("#day [data-day=done]")).to_have_count(7)
    expect(pda.locator("#day-owed")).to_have_text(re.compile(r"^¥\d"))
    shot(pda, "pda-day")
    assert violations(pda) == []


def free_with_a_photo(pda: Page, context: BrowserContext) -> None:
    """Free a stay of its fee without a line, with a photo that outlives a restart."""
    context.set_offline(True)
    expect(pda.locator(STANDING)).to_be_visible()
    pda.locator(".cell", has_text="02").click()
    pda.locator("summary", has_text="Free of charge").click()
    pda.select_option("#exempt-reason", "disabled-permit")
    free = pda.get_by_role("button", name="Free bay 02 of its fee")
    free.click()
    expect(pda.locator("details[open] .form-problem").last).to_have_text(
        "Take a photo of what shows it."
    )
    pda.set_input_files("#exempt-photo", files=[a_street()])
    expect(pda.locator(".photo-shown canvas")).to_be_visible()
    free.scroll_into_view_if_needed()
    shot(pda, "pda-exempt")
    with ten_seconds_last(pda):
        free.click()
        expect(pda.locator(".outbox-words")).to_have_text(
            "Bay 02 freed of its fee: disabled person's permit"
        )
    expect(pda.locator(".cell", has_text="02").locator(".cell-free")).to_be_visible()
    shot(pda, "pda-freed")
    pda.reload()
    expect(pda.locator(STANDING)).to_have_text("Offline, 1 waiting · 1 photo waiting")
    pda.locator(".cell", has_text="02").click()
    expect(pda.locator(".fee-ahead")).to_have_text("Free: disabled person's permit")
    pda.click("#act-close")
    pda.evaluate(FIRST_PHOTO_IS_REFUSED)
    context.set_offline(False)
    expect(pda.locator(STANDING)).to_have_text("1 photo needs you")
    pda.locator(STANDING).click()
    refused = pda.locator("[data-photo=refused]")
    expect(refused).to_contain_text("another photo under this name")
    shot(pda, "pda-photo-refused")
    refused.get_by_role("button", name="Send again").click()
    expect(refused).to_have_count(0)
    pda.click("#act-close")
    expect(pda.locator("#outbox")).to_be_hidden()


def read_a_plate(pda: Page) -> None:
    """Let a photo type the plate, which a person confirms."""
    pda.locator(".cell", has_text="03").click()
    pda.get_by_role("button", name="A vehicle stands here").click()
    pda.set_input_files("#plate-photo", files=[a_street()])
    expect(pda.locator(".plate-read")).to_contain_text("Read from the photo")
    expect(pda.locator(".thumb-bar button")).to_have_text(re.compile("^Attach 闽R"))
    shot(pda, "pda-plate-read")
    pda.click("#act-close")


def a_street() -> FilePayload:
    """Give a photo of a car with a plate."""
    scene = draw_scene(np.random.default_rng(SEED), (480, 360), (PlateKind.BLUE7,))
    content = cv2.imencode(".jpg", scene.picture)[1].tobytes()
    return {"name": "street.jpg", "mimeType": "image/jpeg", "buffer": content}


def keep_figures(pda: Page) -> None:
    """Write down how long acts took to be kept, where figures are asked for."""
    folder = os.environ.get("GREENBAY_SHOTS")
    if folder:
        Path(folder, "act-kept-ms.json").write_text(json.dumps(pda.evaluate(KEPT_MS)))
