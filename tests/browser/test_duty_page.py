"""The duty page: an alarm read and acknowledged, a junction's page with its pictures."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
from playwright.sync_api import expect

from city.works.run_record import read_run_record
from tests.browser.pictures import shot
from tests.browser.test_every_page import violations

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Visitor
    from tests.browser.system import System

FORGOTTEN = """
insert into signals.reporter (id, place, subject, simulated, added_at, added_by)
select gen_random_uuid(), place, %s, true, now() - interval '1 hour', 'test'
from signals.place where signal = 'J20'
"""


def forgotten_controller(system: System) -> str:
    """Leave a controller at a junction that was registered and never reported; give its name."""
    name = f"forgotten-{uuid4().hex[:6]}"
    record = read_run_record(system.folder / "var")
    assert record is not None
    with psycopg.connect(record.addresses.database) as connection:
        deadline = time.monotonic() + 240
        while connection.execute(FORGOTTEN, [name]).rowcount == 0:
            assert time.monotonic() < deadline, "the town's controllers are not registered"
            connection.commit()
            time.sleep(1)
    system.run_now("signals.watch_alarms")
    return name


def with_pictures(page: Page) -> None:
    """Wait until the junction has told enough to be drawn."""
    deadline = time.monotonic() + 420
    while page.locator(".duty-picture").count() < 3:
        assert time.monotonic() < deadline, "no pictures"
        page.wait_for_timeout(2_000)
        page.locator("#span .chip").first.click()
        page.wait_for_timeout(3_000)


def test_an_alarm_is_read_acknowledged_and_followed_to_its_junction(
    visitor: Visitor, system: System
) -> None:
    name = forgotten_controller(system)
    page = visitor.open("/signals/duty", "engineer")
    expect(page.locator("body[data-network]")).to_have_count(1)
    row = page.locator(".desk-row", has_text=name)
    expect(row).to_be_visible(timeout=150_000)
    row.click()
    expect(page.locator("#case-content")).to_contain_text("It has reported nothing")
    shot(page, "duty-en-1440")
    assert violations(page) == []
    page.locator("[data-acknowledge]").click()
    page.locator("#alarm-note").fill("The old controller was taken away")
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator("#dialog")).to_be_hidden()
    expect(page.locator("#case-content")).to_contain_text("The old controller was taken away")
    page.locator("#view .chip", has_text="Junctions").click()
    expect(page.locator('[data-row="signal-J20"]')).to_be_visible()
    page.locator("#view .chip", has_text="Plans sent").click()
    expect(page.locator("#rows")).to_contain_text("Nothing was sent yet")
    phone = visitor.open("/signals/duty", "engineer", language="zh", width=390, theme="dark")
    expect(phone.locator(".desk-row", has_text=name)).to_contain_text("已确认")
    shot(phone, "duty-zh-390-dark")
    assert violations(phone) == []
    phone.locator(".desk-row", has_text=name).click()
    expect(phone.locator("#case-content")).to_contain_text("依据")
    shot(phone, "duty-case-zh-390-dark")
    small = visitor.open("/signals/duty?view=junctions", "operator", language="zh", width=360)
    assert violations(small) == []
    expect(small.locator('[data-row="signal-J20"]')).to_be_visible()
    shot(small, "duty-junctions-zh-360")


def test_a_junction_shows_what_its_own_events_say(visitor: Visitor) -> None:
    page = visitor.open("/signals/duty", "engineer")
    expect(page.locator("body[data-network]")).to_have_count(1)
    network = page.locator("#network").input_value()
    page.goto(page.url.partition("/signals")[0] + f"/signals/duty/{network}/J09")
    expect(page.locator('body[data-junction="J09"]')).to_have_count(1)
    with_pictures(page)
    picture = page.locator(".duty-picture img").first
    picture.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('.duty-picture img').naturalWidth > 0")
    expect(page.locator("#detectors table")).to_be_visible(timeout=420_000)
    shot(page, "junction-en-1440")
    assert violations(page) == []
    other = visitor.open(f"/signals/duty/{network}/J09", "operator", language="zh", width=360)
    expect(other.locator('body[data-junction="J09"]')).to_have_count(1)
    expect(other.locator(".duty-picture").first).to_be_visible()
    shot(other, "junction-zh-360")
    assert violations(other) == []


def test_a_junctions_page_shows_its_lamps_counting_down(visitor: Visitor) -> None:
    page = visitor.open("/signals/duty", "operator")
    expect(page.locator("body[data-network]")).to_have_count(1)
    network = page.locator("#network").input_value()
    page.goto(page.url.partition("/signals")[0] + f"/signals/duty/{network}/J09")
    expect(page.locator('body[data-lights="known"]')).to_have_count(1, timeout=60_000)
    stage = page.locator("#lights .facts")
    expect(stage).to_contain_text(re.compile(r"\d+ s of green left|\d+ s to the next"))
    expect(page.locator("#lights tbody tr").first).to_contain_text(re.compile("red|green|yellow"))
    first = page.locator("#lights").inner_text()
    page.wait_for_function("was => document.querySelector('#lights').innerText !== was", arg=first)
    shot(page, "junction-lamps-en-1440")
    assert violations(page) == []
    small = visitor.open(
        f"/signals/duty/{network}/J09", "engineer", language="zh", width=360, theme="dark"
    )
    expect(small.locator('body[data-lights="known"]')).to_have_count(1, timeout=60_000)
    expect(small.locator("#lights")).to_contain_text("剩余秒数")
    expect(small.locator("#lights")).to_contain_text(re.compile("[东南西北]进口 (左转/)?直行"))
    shot(small, "junction-lamps-zh-360-dark")
    assert violations(small) == []


def test_a_junction_is_put_on_flashing_yellow_by_hand_in_two_steps_and_given_back(
    visitor: Visitor,
) -> None:
    page = visitor.open("/signals/duty", "engineer")
    expect(page.locator("body[data-network]")).to_have_count(1)
    network = page.locator("#network").input_value()
    path = f"/signals/duty/{network}/J11"
    page.goto(page.url.partition("/signals")[0] + path)
    expect(page.locator('body[data-override="none"]')).to_have_count(1)
    page.locator('[data-override="flashing"]').click(timeout=60_000)
    page.locator("#override-reason").fill("A burst water main")
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator("#dialog")).to_contain_text("J11: Flashing yellow, until")
    shot(page, "override-confirm-en-1440")
    assert violations(page) == []
    page.locator("#override-typed").fill("J12")
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator("#override-typed:invalid")).to_be_visible()
    page.locator("#override-typed").fill("J11")
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator("#dialog")).to_be_hidden()
    expect(page.locator("#lights .facts")).to_contain_text("flashing yellow", timeout=240_000)
    expect(page.locator("#override-left")).to_contain_text(re.compile(r"\d+ s left"))
    page.locator("#override").scroll_into_view_if_needed()
    shot(page, "override-holds-en-1440")
    assert violations(page) == []
    small = visitor.open(path, "operator", language="zh", width=360, theme="dark")
    expect(small.locator("#override")).to_contain_text("黄闪", timeout=120_000)
    expect(small.locator("[data-override-end]")).to_have_count(0)
    shot(small, "override-holds-zh-360-dark")
    assert violations(small) == []
    page.locator("[data-override-end]").click()
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator('body[data-override="none"]')).to_have_count(1, timeout=120_000)
    expect(page.locator("#lights .facts")).to_contain_text("fixed times", timeout=60_000)
