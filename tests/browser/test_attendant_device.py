"""An attendant's device under strain: large type at 360 px, full storage, a new app in between."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.garages import poster
from tests.browser.pictures import shot
from tests.browser.test_attendant_offline import STANDING, acts_of, begin, enrolled, fold, kerb
from tests.browser.test_every_page import violations

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, FilePayload, Page, Request

    from tests.browser.conftest import Visitor
    from tests.browser.system import System

pytestmark = pytest.mark.usefixtures("lively")

CUT_OFF = """() => [...document.querySelectorAll('body *')].filter((each) => {
    const box = each.getBoundingClientRect();
    if (box.width < 2 || box.height < 2 || each.closest('svg, .visually-hidden')) return false;
    for (let up = each.parentElement; up; up = up.parentElement)
        if (/auto|scroll/.test(getComputedStyle(up).overflowX)) return false;
    const hides = /hidden|clip/.test(getComputedStyle(each).overflowX);
    const cut = hides && each.scrollWidth > each.clientWidth + 1;
    return cut || box.right > innerWidth + 1 || box.left < -1;
}).map((each) => each.outerHTML.slice(0, 120))"""
OLD_STORAGE = """async () => {
    const opened = (version, upgrade) => new Promise((resolve, reject) => {
        const asked = indexedDB.open('greenbay-outbox', version);
        asked.onupgradeneeded = () => upgrade?.(asked.result);
        asked.onsuccess = () => resolve(asked.result);
        asked.onerror = () => reject(asked.error);
    });
    const done = (asked) => new Promise((resolve) => {
        asked.onsuccess = () => resolve(asked.result);
    });
    const now = await opened();
    const kept = now.transaction(['acts', 'facts']);
    const [acts, facts, names] = await Promise.all([
        done(kept.objectStore('acts').getAll()),
        done(kept.objectStore('facts').getAll()),
        done(kept.objectStore('facts').getAllKeys()),
    ]);
    now.close();
    await done(indexedDB.deleteDatabase('greenbay-outbox'));
    const before = await opened(1, (made) => {
        made.createObjectStore('acts', { keyPath: 'order', autoIncrement: true });
        made.createObjectStore('facts');
    });
    const put = before.transaction(['acts', 'facts'], 'readwrite');
    for (const act of acts) put.objectStore('acts').put(act);
    facts.forEach((fact, at) => put.objectStore('facts').put(fact, names[at]));
    await new Promise((resolve) => { put.oncomplete = resolve; });
    before.close();
    return acts.length;
}"""
"""Keeps the queue as the app did before there were photos: with a storage of its first version."""
ONE, OTHER, THIRD = "皖B7355", "皖B7366", "皖B7377"
PART_BYTES = 131_072
NOISE_PX = (480, 640, 3)
"""What cannot be packed: more than one part of a photo."""


def whole(pda: Page) -> None:
    """Expect that nothing on the page is cut off."""
    assert pda.evaluate(CUT_OFF) == []
    assert pda.evaluate("document.documentElement.scrollWidth") <= 360


def form(pda: Page, number: str, field: str) -> None:
    """Open the form behind a word at a bay."""
    pda.locator(".cell", has_text=number).click()
    pda.locator("details", has=pda.locator(field)).locator("summary").click()


def submit(pda: Page) -> None:
    pda.locator("details[open] button[type=submit]").click()
    expect(pda.locator("#act")).to_be_hidden()


def part_and_join(pda: Page) -> None:
    """Note two cars, see one of them in two bays, another in its place, and two in one."""
    begin(pda, "01", f"{ONE}1")
    begin(pda, "02", f"{ONE}1")
    form(pda, "01", "#split-reason")
    pda.select_option("#split-ago", "0")
    pda.select_option("#split-whose", "came")
    pda.fill("#split-reason", "two cars, not one")
    whole(pda)
    shot(pda, "pda-split-large")
    submit(pda)
    form(pda, "02", "#join-reason")
    pda.fill("#join-reason", "one car over the line")
    whole(pda)
    shot(pda, "pda-join-large")
    submit(pda)
    begin(pda, "03", f"{OTHER}1")
    pda.locator(".cell", has_text="03").click()
    pda.click("#swap")
    while pda.locator(".key-erase").is_enabled():
        pda.locator(".key-erase").click()
    for key in f"{THIRD}1":
        pda.locator(f'.key[data-key="{key}"]').click()
    whole(pda)
    shot(pda, "pda-swap-large")
    pda.get_by_role("button", name="Attach").click()
    pda.click("#act-close")
    expect(pda.locator(".cell", has_text="03").locator(".plate")).to_be_visible()
    fold(pda, "03", "Drove off without paying", "#escape-words", "asked, and drove off")


def take_back(visitor: Visitor, label: str) -> None:
    """See on the supervisors' page who drove off, and take it back with a reason."""
    page = visitor.watched(visitor.context("operator", width=1440))
    page.goto(f"{visitor.system.origin}/supervision")
    row = page.locator("#escapes tr", has_text=label)
    expect(row).to_contain_text("asked, and drove off")
    row.scroll_into_view_if_needed()
    shot(page, "supervision-escapes")
    row.get_by_role("button", name="Take back").click()
    page.fill("#escape-reason", "it stood in the next street")
    page.locator("#dialog button[type=submit]").click()
    expect(row.locator("[data-escape=withdrawn]")).to_be_visible()
    assert violations(page) == []


def keep_a_shift(pda: Page) -> None:
    """Begin a shift, break off, go on, hand cash over, count nothing."""
    pda.click("#shift-open")
    pda.get_by_role("button", name="Begin a shift at Ferry Road").click()
    expect(pda.locator("[data-shift=open]")).to_be_visible()
    pda.get_by_role("button", name="Take a break").click()
    pda.get_by_role("button", name="Back to work").click()
    pda.get_by_role("button", name="Take cash over").click()
    shot(pda, "pda-take-over-offline")
    pda.keyboard.press("Escape")
    pda.get_by_role("button", name="Hand cash over").click()
    pda.fill("#hand-over-amount", "5")
    whole(pda)
    shot(pda, "pda-hand-over-offline")
    pda.locator("#dialog").get_by_role("button", name="Hand cash over").click()
    expect(pda.locator("[data-handed=cash-give]")).to_contain_text("¥5.00 handed to")
    whole(pda)
    shot(pda, "pda-shift-offline")
    pda.get_by_role("button", name="End shift").click()
    whole(pda)
    pda.locator(".shift-count").get_by_role("button", name="End shift").click()
    expect(pda.locator("[data-shift=counted-here]")).to_contain_text("Counted on this device")
    shot(pda, "pda-counted-offline")
    pda.click("#act-close")


def leave_nothing(visitor: Visitor, pda: Page) -> None:
    """Take the cash back that nobody counted, and have the shift approved."""
    pda.click("#shift-open")
    expect(pda.locator("[data-shift=counted]")).to_be_visible()
    whole(pda)
    shot(pda, "pda-counted-under-way")
    pda.get_by_role("button", name="撤回").click()
    expect(pda.locator("[data-move]")).to_have_count(0)
    approve = poster(visitor, "finance")
    for each in visitor.ask("finance", "/api/v1/shifts?state=counted")["items"]:
        if each["place"] == "Ferry Road":
            approve(f"/api/v1/shifts/{each['id']}/approvals", {"answer": ""})


def test_cars_are_parted_and_joined_and_a_shift_kept_without_a_line_in_large_type(
    visitor: Visitor, lively: System
) -> None:
    visitor.faults.expected += ["ERR_INTERNET_DISCONNECTED", "Failed to load resource"]
    name = f"LT{secrets.token_hex(3)}"
    context, pda = enrolled(visitor, kerb(visitor, name), name, lively.hire("attendant"))
    pda.click("#large-type")
    expect(pda.locator("#large-type")).to_have_attribute("aria-pressed", "true")
    whole(pda)
    with pda.expect_response(re.compile("/shifts/mine$")):
        pda.reload()
    context.set_offline(True)
    expect(pda.locator(STANDING)).to_be_visible()
    part_and_join(pda)
    keep_a_shift(pda)
    expect(pda.locator(STANDING)).to_have_text("Offline, 12 waiting")
    pda.locator(".post-head").click()
    expect(pda.locator("[role=status]", has_text="No line")).to_be_visible()
    whole(pda)
    pda.locator(".post-choice").first.click()
    pda.goto(f"{lively.origin}/attendant?lang=zh")
    expect(pda.locator(STANDING)).to_have_text("离线，12 条待上传")
    whole(pda)
    assert violations(pda) == []
    shot(pda, "pda-large-zh")
    pda.locator(".cell", has_text="03").click()
    whole(pda)
    pda.click("#act-close")
    context.set_offline(False)
    expect(pda.locator("#outbox")).to_be_hidden()
    kinds = ["plate", "plate", "split", "join", "plate", "swap", "escape"]
    kinds += ["shift-begin", "shift-pause", "shift-resume", "cash-give", "shift-count"]
    assert acts_of(visitor, name) == [(at, kind, "done") for at, kind in enumerate(kinds, 1)]
    take_back(visitor, f"{name}-03")
    leave_nothing(visitor, pda)


def report(pda: Page, number: str, words: str) -> None:
    fold(pda, number, "Report a fault", "#report-note", words)


def try_without_room(pda: Page) -> bool:
    """Report a fault where there may be no room; False: there was some."""
    pda.locator(".cell", has_text="02").click()
    pda.locator("summary", has_text="Report a fault").click()
    pda.fill("#report-note", "no room for this one")
    pda.locator("details[open] button[type=submit]").click()
    refused = pda.locator("details[open] .form-problem").filter(has_text="so nothing was done")
    expect(refused.or_(pda.locator("#act[hidden]"))).to_have_count(1)
    return refused.count() == 1


def free_with_a_large_photo(pda: Page, number: str) -> None:
    pda.locator(".cell", has_text=number).click()
    pda.locator("summary", has_text="Free of charge").click()
    pda.select_option("#exempt-reason", "disabled-permit")
    pda.set_input_files("#exempt-photo", files=[noise()])
    expect(pda.locator(".photo-shown canvas")).to_be_visible()
    pda.locator("details[open] button[type=submit]").click()
    expect(pda.locator("#act")).to_be_hidden()


def noise() -> FilePayload:
    picture = np.random.default_rng(7).integers(0, 256, NOISE_PX, np.uint8)
    content = cv2.imencode(".png", picture)[1].tobytes()
    return {"name": "noise.png", "mimeType": "image/png", "buffer": content}


def fill_storage(context: BrowserContext, pda: Page, origin: str, waiting: int) -> int:
    """Let the browser have no room: nothing is done then, and the attendant is told.

    Gives how many acts wait. The browser remembers for some seconds how much room there was, and
    forgets it with the last page that keeps anything: until it has, acts are kept.
    """
    session = context.new_cdp_session(pda)
    session.send("Storage.overrideQuotaForOrigin", {"origin": origin, "quotaSize": 1})
    for _ in range(12):
        pda.goto("about:blank")
        pda.wait_for_timeout(4_000)
        pda.goto(f"{origin}/attendant")
        expect(pda.locator(STANDING)).to_contain_text(f"Offline, {waiting} waiting")
        if try_without_room(pda):
            break
        waiting += 1
    else:
        pytest.fail("the browser never ran out of room")
    expect(pda.locator(STANDING)).to_have_text(f"Offline, {waiting} waiting · 1 photo waiting")
    shot(pda, "pda-storage-full")
    return waiting


def test_a_full_device_keeps_nothing_new_and_sends_what_it_has(
    visitor: Visitor, lively: System
) -> None:
    visitor.faults.expected += ["ERR_INTERNET_DISCONNECTED", "Failed to load resource"]
    name = f"FU{secrets.token_hex(3)}"
    facility_id = kerb(visitor, name)
    context, pda = enrolled(visitor, facility_id, name, lively.hire("attendant"))
    parts: list[int] = []

    def note_part(request: Request) -> None:
        if request.url.endswith("/terminals/photos"):
            parts.append((request.post_data_json or {})["from_byte"])

    pda.on("request", note_part)
    context.set_offline(True)
    begin(pda, "03", f"{ONE}2")
    free_with_a_large_photo(pda, "03")
    waiting = fill_storage(context, pda, lively.origin, 2)
    context.set_offline(False)
    expect(pda.locator("#outbox")).to_be_hidden()
    kinds = ["plate", "exempt", *["report"] * (waiting - 2)]
    assert acts_of(visitor, name) == [(at, kind, "done") for at, kind in enumerate(kinds, 1)]
    # How much of the photo the city has could not be written down: it went on from what is known.
    assert parts == [at * PART_BYTES for at in range(len(parts))]
    assert len(parts) > 1
    (stay,) = visitor.ask("operator", f"/api/v1/sessions?facility_id={facility_id}")["items"]
    (photo,) = visitor.ask("operator", f"/api/v1/sessions/{stay['id']}/photos")["items"]
    assert photo["state"] in {"raw", "hidden"}


def test_a_new_app_in_the_middle_of_a_queue_loses_no_act(visitor: Visitor, lively: System) -> None:
    visitor.faults.expected += ["ERR_INTERNET_DISCONNECTED", "Failed to load resource"]
    name = f"UP{secrets.token_hex(3)}"
    context, pda = enrolled(visitor, kerb(visitor, name), name, lively.hire("attendant"))
    context.set_offline(True)
    expect(pda.locator(STANDING)).to_be_visible()
    report(pda, "01", "dark")
    report(pda, "03", "a skip")
    waiting = 2
    # The line is back, the city's door is not: the queue waits while another app is put in.
    context.route("**/api/v1/terminals/acts", lambda route: route.abort())
    context.set_offline(False)
    pda.evaluate(
        "document.querySelector('script[type=module][src]').src = '/static/build/assets/old.js'"
    )
    with pda.expect_event("domcontentloaded"):
        pda.evaluate("dispatchEvent(new Event('online'))")
        pda.locator("#app-news button").click()
    expect(pda.locator(STANDING)).to_have_text(re.compile(f"{waiting} waiting"))
    # And one that keeps what it keeps in another form.
    pda.goto(f"{lively.origin}/static/app/offline.html")
    assert pda.evaluate(OLD_STORAGE) == waiting
    pda.goto(f"{lively.origin}/attendant")
    expect(pda.locator(STANDING)).to_have_text(re.compile(f"{waiting} waiting"))
    assert acts_of(visitor, name) == []
    context.unroute("**/api/v1/terminals/acts")
    pda.locator(STANDING).click()
    pda.get_by_role("button", name="Send now").last.click()
    expect(pda.locator("#outbox")).to_be_hidden()
    assert acts_of(visitor, name) == [(at, "report", "done") for at in range(1, waiting + 1)]
    # Whoever logs out is not signed in at the terminal any more.
    pda.locator("form.log-out").evaluate("(form) => form.requestSubmit()")
    pda.wait_for_url("**/log-in**")
    assert acts_of(visitor, name)[waiting:] == [(waiting + 1, "sign-out", "done")]
