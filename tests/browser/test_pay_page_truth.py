"""What a pay page says while it does not know, and when others have paid meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from tests.browser.garages import Garage, garage_of
from tests.browser.test_drivers_journey import looked_at
from tests.browser.test_pay_page import pays_on_the_channels_page, phone

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

    from tests.browser.conftest import Visitor
    from tests.browser.system import System

STEP_MS = 50
HEARD_WITHIN_MS = 60_000
"""A page that waits reads its bill every ten seconds; the janitor would need minutes."""


def link_to(garage: Garage) -> str:
    """Give the address of a bill's pay page, as it came with the bill."""
    bill = garage.bill(garage.plan.plates[0])
    desk = garage.visitor.open(f"/bills/{bill['id']}/pay", "finance")
    return desk.url.removeprefix(garage.system.origin)


def paid_through_alipay(page: Page) -> None:
    """Pay at the local gateway, on the same phone."""
    page.locator("[data-channel=alipay]").click()
    page.locator("[data-state=open]").wait_for()
    pays_on_the_channels_page(page)
    page.locator("[data-state=paid]").wait_for()


def test_a_code_does_not_stay_when_the_bill_was_paid_another_way(
    visitor: Visitor, lively: System
) -> None:
    garage = garage_of("left-code", visitor, lively)
    link = link_to(garage)
    first, second = phone(garage, link), phone(garage, link)
    first.locator("[data-channel=unionpay]").click()
    first.locator("[data-state=open] .pay-code").wait_for()
    paid_through_alipay(second)
    expect(first.locator("[data-state=paid]")).to_be_visible(timeout=HEARD_WITHIN_MS)
    expect(first.locator(".pay-code")).to_have_count(0)
    expect(first.locator(".pay .facts").first).to_contain_text("Alipay")


class Silent:
    """Answers a page's requests as the server does while a channel says nothing."""

    def __init__(self, page: Page, path: str) -> None:
        self.order: dict[str, Any] = {}
        self._page = page
        self._held: list[Route] = []
        page.route(f"**/api/v1{path}", self._bill)
        page.route(f"**/api/v1{path}/orders", self._hold)
        page.route(f"**/api/v1{path}/orders/*", lambda route: route.fulfill(json=self.order))

    def answers(self, **said: Any) -> None:
        """Answer the order that was asked for, and say the same of it from now on."""
        self.order = {
            "order_no": "0" * 32,
            "channel": "alipay",
            "state": "unknown",
            "amount": {"minor": 600, "currency": "CNY"},
            "seconds_left": 0,
            "link": None,
            "scannable": False,
            "may_be_paid": False,
            "surplus": False,
            "refunded": {"minor": 0, "currency": "CNY"},
        } | said
        while not self._held:  # the test's own limit ends it
            self._page.wait_for_timeout(STEP_MS)
        for route in self._held:
            route.fulfill(status=201, json=self.order)
        self._held.clear()

    def _hold(self, route: Route) -> None:
        self._held.append(route)

    def _bill(self, route: Route) -> None:
        bill = route.fetch().json()
        route.fulfill(json=bill | {"orders": [self.order] if self.order else []})


def test_what_is_not_known_is_said_as_it_is(visitor: Visitor, lively: System) -> None:
    garage = garage_of("unknown", visitor, lively)
    link = link_to(garage)
    page = phone(garage, link)
    channel = Silent(page, link)
    page.locator("[data-channel=alipay]").click()
    # A channel takes its time: who waits sees it, and presses nothing twice.
    expect(page.locator("#pay-asking")).to_have_text("Asking Alipay …")
    expect(page.locator("[data-channel=wechat]")).to_be_disabled()
    looked_at(page, "pay-asking")
    channel.answers()
    state = page.locator("#pay-state")
    expect(state).to_contain_text("no code was given out")
    expect(page.locator(".pay")).not_to_contain_text("quarter of an hour")
    looked_at(page, "pay-not-heard")
    # Nothing can have been paid: nothing keeps anybody from another way.
    page.locator("#another").click()
    page.locator("[data-state=choose]").wait_for()
    expect(page.locator(".pay")).not_to_contain_text("not known yet")
    page.locator("[data-channel=alipay]").click()
    # A code that was shown may have been paid with, also when its time is over.
    channel.answers(may_be_paid=True)
    expect(state).to_contain_text("please do not pay again")
    looked_at(page, "pay-unknown")
    page.locator("#another").click()
    expect(page.locator("[data-state=choose] .note-warning")).to_contain_text("not known yet")


def test_a_receipt_shows_an_invoice_that_was_asked_for_while_it_changed(
    visitor: Visitor, lively: System
) -> None:
    garage = garage_of("invoice", visitor, lively)
    link = link_to(garage)
    page = phone(garage, link)
    paid_through_alipay(page)
    page.get_by_role("button", name="Ask for an invoice").click()
    page.fill("#invoice-title", "Wang Fang")
    changed = {"minor": 1, "currency": "CNY"}

    def with_a_refund(route: Route) -> None:
        bill = route.fetch().json()
        route.fulfill(json=bill | {"receipt": bill["receipt"] | {"refunded": changed}})

    page.route(f"**/api/v1{link}", with_a_refund)
    expect(page.locator(".pay .facts").first).to_contain_text("¥0.01", timeout=HEARD_WITHIN_MS)
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator("[aria-labelledby=invoices] a")).to_be_visible()
    expect(page.get_by_role("button", name="Ask for an invoice")).to_have_count(0)
