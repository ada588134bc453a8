"""A desk issues a parking card and tops it up; its driver registers, loses and replaces it."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.test_drivers_journey import driver_logs_in, looked_at

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Visitor
    from tests.browser.system import System


def owed_minor(desk: Page) -> int:
    """Give what the ledger owes to all cards, those of other tests and looks among them."""
    section = desk.locator("section[aria-labelledby=owed-title]")
    expect(section).to_contain_text(re.compile("owes|No card yet"))
    found = re.findall(r"¥([\d,]+\.\d\d)", section.inner_text())
    return round(float(found[-1].replace(",", "")) * 100) if found else 0


def test_a_card_goes_from_the_desk_to_its_driver_with_all_that_it_holds(
    visitor: Visitor, lively: System
) -> None:
    desk = visitor.open("/cards", "finance")
    reader = ":".join(f"{byte:02X}" for byte in secrets.token_bytes(6))
    phone = f"138{secrets.randbelow(10**8):08}"
    before_minor = owed_minor(desk)
    desk.get_by_role("button", name="Issue a card").click()
    desk.locator("#card-reader").fill(reader)
    desk.locator("#dialog").get_by_role("button", name="Issue a card").click()
    code = desk.locator("#card-code").inner_text()
    desk.locator("#dialog").get_by_role("button", name="Close").click()
    card = desk.locator(".parking-card")
    number = card.get_attribute("data-card") or ""
    card.get_by_role("button", name="Top up in cash").click()
    desk.locator("#top-up-amount").fill("50")
    desk.locator("#dialog").get_by_role("button", name="Top up in cash").click()
    expect(card.locator(".card-balance")).to_have_text("¥50.00")
    owed = f"¥{(before_minor + 5000) / 100:,.2f}"
    expect(desk.locator("#liabilities")).to_contain_text(owed)
    card.get_by_text("Statement").click()
    expect(card.locator("[data-movement=top-up]")).to_contain_text("+¥50.00")
    looked_at(desk, "cards-desk")
    for name, part in (("cards", "active"), ("movements", "top-up")):
        file = desk.locator(f"a[href$='/{name}/export']").get_attribute("href")
        assert part in desk.request.get(lively.origin + str(file)).text()

    mine = visitor.watched(visitor.context())
    mine.goto(f"{lively.origin}/log-in/driver?next=/mine/cards")
    driver_logs_in(mine, lively, phone)
    mine.wait_for_selector("html[data-ready]")
    # A browser logs every refusal by itself.
    visitor.faults.expected += ["status of 403"]
    mine.get_by_role("button", name="Register a card").click()
    mine.locator("#card-number").fill(number)
    mine.locator("#card-code-typed").fill("2222-3333-4444")
    mine.locator("#dialog").get_by_role("button", name="Register a card").click()
    expect(mine.locator("#dialog [role=alert]")).to_contain_text("not the card's code")
    mine.locator("#card-code-typed").fill(code)
    mine.locator("#dialog").get_by_role("button", name="Register a card").click()
    held = mine.locator(f"[data-card='{number}']")
    expect(held.locator(".card-balance")).to_have_text("¥50.00")
    expect(held).to_contain_text("never ends")
    held.get_by_role("button", name="Lost").click()
    mine.locator("#dialog").get_by_role("button", name="Lost").click()
    expect(mine.locator(f"[data-card='{number}'][data-state=frozen]")).to_be_visible()
    held.get_by_role("button", name="Replace").click()
    mine.locator("#dialog").get_by_role("button", name="Replace").click()
    expect(mine.locator(f"[data-card='{number}'][data-state=replaced]")).to_be_visible()
    new = mine.locator(".parking-card[data-state=active]")
    expect(new.locator(".card-balance")).to_have_text("¥50.00")
    new.get_by_text("Statement").click()
    expect(new.locator("[data-movement=moved-in]")).to_contain_text("+¥50.00")
    looked_at(mine, "cards-mine")
