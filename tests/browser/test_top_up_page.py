"""A driver tops a parking card up, sees the truth of it, and has the rest back."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.test_drivers_journey import driver_logs_in, looked_at
from tests.browser.test_pay_page import HANDHELD

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Visitor
    from tests.browser.system import System

WORDS = {
    "en": ("Top up", "Have the rest back", "Topped up", "Top-ups", "Open a card", "Lost"),
    "zh": ("充值", "退回余款", "充值成功", "充值记录", "开卡", "挂失"),
}


def pays(page: Page) -> None:
    """Follow the link on the same phone and press the channel's button."""
    with page.context.expect_page() as opened:
        page.locator("#go").click()
    channel = opened.value
    channel.get_by_role("button", name="Pay").click()
    expect(channel.locator("#state")).to_contain_text("Paid")
    channel.close()


def asks(page: Page, words: str, channel: str, yuan: str) -> None:
    """Choose an amount of one's own and a channel, and see the code."""
    page.locator(".parking-card[data-state=active]").get_by_role(
        "button", name=words, exact=True
    ).click()
    page.locator("#top-up-sum").select_option("own")
    page.locator("#top-up-own").fill(yuan)
    page.locator("#top-up-channel").select_option(channel)
    page.locator("#dialog button[type=submit]").click()
    page.wait_for_url("**/mine/cards/top-ups/*")
    page.locator("[data-state=open] .pay-code img").wait_for()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_card_is_topped_up_online_and_what_was_not_used_goes_back(
    visitor: Visitor, lively: System, language: str
) -> None:
    ask, back, topped_up, listed, opens, lost = WORDS[language]
    page = visitor.watched(visitor.context(language=language, **HANDHELD))  # type: ignore[arg-type]  # by name
    page.goto(f"{lively.origin}/log-in/driver?next=/mine/cards")
    driver_logs_in(page, lively, f"138{secrets.randbelow(10**8):08}")
    page.wait_for_selector("html[data-ready]")
    page.get_by_role("button", name=opens).click()
    card = page.locator(".parking-card[data-state=active]")
    expect(card.locator(".card-balance")).to_have_text("¥0.00")
    card.get_by_role("button", name=ask, exact=True).click()
    page.locator("#top-up-sum").select_option("own")
    looked_at(page, f"top-up-ask-{language}")
    # What is refused on purpose; a browser logs every refusal by itself.
    visitor.faults.expected.append("status of 422")
    page.locator("#top-up-own").fill("5")
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator("#dialog .form-problem")).to_be_visible()
    page.keyboard.press("Escape")
    asks(page, ask, "wechat", "66.50")
    looked_at(page, f"top-up-open-{language}")
    pays(page)
    expect(page.locator("[data-state=paid] #pay-state")).to_have_text(topped_up)
    looked_at(page, f"top-up-paid-{language}")
    page.locator("a[href='/mine/cards'].button").click()
    expect(card.locator(".card-balance")).to_have_text("¥66.50")
    # A second one is paid while its card is lost: it goes back, and the page says so.
    asks(page, ask, "alipay", "20")
    other = page.context.new_page()
    other.goto(f"{lively.origin}/mine/cards")
    other.wait_for_selector("html[data-ready]")
    other.get_by_role("button", name=lost, exact=True).click()
    other.locator("#dialog button[type=submit]").click()
    frozen = other.locator(".parking-card[data-state=frozen]")
    frozen.wait_for()
    pays(page)
    expect(page.locator("[data-state=paid] #pay-state")).to_contain_text("¥20.00")
    expect(page.locator("[data-state=paid] .note-warning")).to_be_visible()
    looked_at(page, f"top-up-not-taken-{language}")
    # Found again, what the first one left goes back to where it came from.
    frozen.get_by_role("button", name={"en": "Found again", "zh": "解除挂失"}[language]).click()
    other.locator(".parking-card[data-state=active]").wait_for()
    other.locator("summary", has_text=listed).click()
    expect(other.locator("[data-top-up]")).to_have_count(2)
    looked_at(other, f"top-up-list-{language}")
    other.locator("[data-top-up] a").nth(1).click()
    other.get_by_role("button", name=back).click()
    other.locator("#dialog button[type=submit]").click()
    expect(other.locator("[data-state=paid] .facts")).to_contain_text("¥66.50")
    expect(other.get_by_role("button", name=back)).to_have_count(0)
    looked_at(other, f"top-up-back-{language}")
    other.goto(f"{lively.origin}/mine/cards")
    expect(other.locator(".card-balance")).to_have_text("¥0.00")
