"""Maintenance: work raised, taken at the cabinet with a phone, done with a photo, looked over."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from playwright.sync_api import expect

from tests.browser.pictures import shot
from tests.browser.test_every_page import violations

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Visitor


def do(page: Page, what: str, words: str | None = None) -> None:
    page.locator(f'[data-work="{what}"]').click()
    if words is not None:
        page.locator("#work-words").fill(words)
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator("#dialog")).to_be_hidden()


def picture(page: Page) -> bytes:
    """Draw a picture as a phone's camera would hand it over."""
    return page.screenshot(type="jpeg", clip={"x": 0, "y": 0, "width": 300, "height": 200})


def test_work_goes_from_the_desk_to_a_phone_at_the_cabinet_and_back(visitor: Visitor) -> None:
    what = f"Red lamp of the north arm is out {uuid4().hex[:4]}"
    page = visitor.open("/signals/maintenance", "engineer")
    expect(page.locator("body[data-work]")).to_have_count(1)
    page.locator("#raise").click()
    page.locator("#work-kind").select_option("lamp")
    page.locator("#work-priority").select_option("urgent")
    page.locator("#work-what").fill(what)
    shot(page, "work-raise-en-1440")
    assert violations(page) == []
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator('body[data-order="open"]')).to_have_count(1)
    phone = visitor.open("/signals/maintenance", "maintainer", language="zh", width=360, scale=2)
    phone.locator(".desk-row", has_text=what).click()
    do(phone, "take")
    expect(phone.locator('body[data-order="taken"]')).to_have_count(1)
    phone.locator('[data-work="photo"]').click()
    phone.locator("#work-photo").set_input_files(
        {"name": "lamp.jpg", "mimeType": "image/jpeg", "buffer": picture(phone)}
    )
    expect(phone.locator(".photo-shown canvas")).to_be_visible()
    shot(phone, "work-photo-zh-360")
    phone.locator("#dialog button[type=submit]").click()
    expect(phone.locator("#dialog")).to_be_hidden()
    do(phone, "done", "换了新灯")
    expect(phone.locator('body[data-order="done"]')).to_have_count(1)
    # Who did it does not look it over.
    expect(phone.locator('[data-work="check"]')).to_have_count(0)
    phone.locator(".work-photo button").click()
    expect(phone.locator(".work-photo img")).to_have_js_property("complete", value=True)
    shot(phone, "work-done-zh-360")
    assert violations(phone) == []
    page.locator(".desk-row", has_text=what).click()
    expect(page.locator('body[data-order="done"]')).to_have_count(1)
    shot(page, "work-order-en-1440")
    assert violations(page) == []
    do(page, "check")
    expect(page.locator('body[data-order="checked"]')).to_have_count(1)
    page.locator("#view button").last.click()
    expect(page.locator("#set-policy")).to_be_visible()
    shot(page, "work-policy-en-1440")
    assert violations(page) == []
    dark = visitor.open("/signals/maintenance", "auditor", language="zh", width=768, theme="dark")
    expect(dark.locator("body[data-work]")).to_have_count(1)
    shot(dark, "work-list-zh-768-dark")
    assert violations(dark) == []


def test_a_junctions_file_keeps_papers_in_versions_on_a_phone_too(visitor: Visitor) -> None:
    title = f"Wiring of the cabinet {uuid4().hex[:4]}"
    visitor.system.run_now("signals.inspect_cabinets")
    page = visitor.open("/signals/maintenance", "maintainer", language="zh", width=360, scale=2)
    expect(page.locator("body[data-work]")).to_have_count(1)
    page.locator("#view button").nth(3).click()
    expect(page.locator('body[data-work="online"]')).to_have_count(1)
    shot(page, "work-online-zh-360")
    assert violations(page) == []
    page.locator(".online-row a").first.click()
    expect(page.locator("body[data-file]")).to_have_count(1)
    for version in (1, 2):
        page.locator("#add-document").click()
        page.locator("#document-kind").select_option("wiring")
        page.locator("#document-title").fill(title)
        page.locator("#document-content").set_input_files(
            {
                "name": "wiring.pdf",
                "mimeType": "application/pdf",
                "buffer": b"%%PDF-1.7\n%d\n%%%%EOF\n" % version,
            }
        )
        page.locator("#dialog button[type=submit]").click()
        expect(page.locator("#dialog")).to_be_hidden()
    row = page.locator(".file-papers > li", has_text=title)
    expect(row).to_contain_text("第 2 版")
    row.locator("summary").click()
    expect(row).to_contain_text("第 1 版")
    # Asked anew every twenty seconds: the look that was ordered above has come by then.
    expect(page.locator("#facts")).to_contain_text("Greenbay simulated")
    expect(page.locator("#facts")).to_contain_text("✓ 无")
    shot(page, "junction-file-zh-360")
    assert violations(page) == []
    wide = visitor.open(page.url.partition(visitor.system.origin)[2], "engineer", theme="dark")
    expect(wide.locator("#documents")).to_contain_text(title)
    shot(wide, "junction-file-en-1440-dark")
    assert violations(wide) == []
