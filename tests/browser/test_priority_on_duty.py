"""Priority on the duty page: a bus asks, and what was decided for it is read in words."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from playwright.sync_api import expect

from city.people.credentials import issue_token
from city.time import WallClock
from city.works.database import Database
from city.works.run_record import read_run_record
from tests.browser.pictures import shot
from tests.browser.test_every_page import violations

if TYPE_CHECKING:
    from tests.browser.conftest import Visitor
    from tests.browser.system import System

SIGNAL, GROUP = "J20", "east-vehicles"


def a_fleet(visitor: Visitor, system: System, network: str) -> str:
    """Register a fleet that may ask at a network's signals, by engineer and administrator."""
    subject = f"fleet-{uuid4().hex[:6]}"
    engineer = visitor.context("engineer").request
    me = engineer.get(f"{system.origin}/api/v1/me").json()
    made = engineer.post(
        f"{system.origin}/api/v1/signal-networks/{network}/priority-askers",
        data={"subject": subject, "kinds": ["bus"]},
        headers={"X-CSRF-Token": me["csrf_token"], "Idempotency-Key": uuid4().hex},
    )
    assert made.ok, made.text()
    record = read_run_record(system.folder / "var")
    assert record is not None
    with (
        closing(Database(record.addresses.database, clock=WallClock(), pool_size=1)) as database,
        database.unit_of_work() as uow,
    ):
        return issue_token(uow, "device", subject)


def ask(visitor: Visitor, system: System, token: str, bus: str) -> None:
    """Let a bus check in: late, and half a minute away."""
    now = datetime.now(UTC)
    row: dict[str, Any] = {
        "told": "check_in",
        "signal": SIGNAL,
        "vehicle": bus,
        "at": now.isoformat(timespec="milliseconds"),
        "kind": "bus",
        "group": GROUP,
        "arrives_at": (now + timedelta(seconds=30)).isoformat(timespec="milliseconds"),
        "lateness_s": 240,
        "passengers": 37,
    }
    answer = visitor.context().request.post(
        f"{system.origin}/api/v1/signal-requests",
        data={"requests": [row]},
        headers={"Authorization": f"Bearer {token}", "Idempotency-Key": uuid4().hex},
    )
    assert answer.ok, answer.text()
    assert answer.json()["accepted"] == 1, answer.text()


def test_a_bus_asks_and_the_desk_reads_what_was_decided(visitor: Visitor, system: System) -> None:
    networks = visitor.ask("engineer", "/api/v1/signal-networks")["items"]
    (network,) = (each["id"] for each in networks if each["origin"] == "demo")
    bus = f"T-{uuid4().hex[:5]}"
    ask(visitor, system, a_fleet(visitor, system, network), bus)
    page = visitor.open(f"/signals/duty?view=priority&network={network}", "operator")
    row = page.locator(".desk-row", has_text=bus)
    expect(row).to_contain_text("Bus")
    row.click()
    case = page.locator("#case-content")
    expect(case).to_contain_text("37")
    expect(case).to_contain_text("late")
    shot(page, "priority-en-1440")
    assert violations(page) == []
    case.get_by_role("link").click()
    mine = page.locator("#priority .duty-alarm", has_text=bus)
    expect(mine).to_contain_text("Bus")
    mine.scroll_into_view_if_needed()
    shot(page, "priority-junction-en-1440")
    assert violations(page) == []
    path = page.url.removeprefix(system.origin)
    small = visitor.open(path, "engineer", language="zh", width=360, theme="dark")
    expect(small.locator("#priority .duty-alarm", has_text=bus)).to_be_visible()
    small.locator("#priority").scroll_into_view_if_needed()
    shot(small, "priority-junction-zh-360-dark")
    assert violations(small) == []
    phone = visitor.open(
        f"/signals/duty?view=priority&network={network}", "auditor", language="zh", width=390
    )
    expect(phone.locator(".desk-row", has_text=bus)).to_be_visible()
    shot(phone, "priority-zh-390")
    assert violations(phone) == []
