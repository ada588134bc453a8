"""Getting in and out, and what pages say to those who may not open them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from tests.browser.conftest import Visitor
    from tests.browser.system import System

PHONE = "13800138066"


def test_a_page_for_staff_leads_to_the_log_in_and_back(visitor: Visitor, system: System) -> None:
    page = visitor.open("/operations")
    assert page.url.startswith(f"{system.origin}/log-in?next=")
    expect(page.locator("main")).to_contain_text("Log in to go on.")
    login, password = system.log_ins["operator"]
    page.fill("#login", login)
    page.fill("#password", password)
    page.click("main button[type=submit]")
    page.wait_for_url(f"{system.origin}/operations")


def test_a_wrong_password_is_told_without_saying_what_was_wrong(visitor: Visitor) -> None:
    visitor.faults.expected.append("401")
    page = visitor.open("/log-in")
    page.fill("#login", "operator")
    page.fill("#password", "not the password")
    page.click("main button[type=submit]")
    expect(page.get_by_role("alert")).to_have_text("Log-in name or password is wrong.")
    expect(page.locator("#login")).to_have_value("operator")
    expect(page.locator("#password")).to_have_value("")


def test_logging_out_ends_the_session(visitor: Visitor, system: System) -> None:
    page = visitor.open("/log-in")
    login, password = system.log_ins["engineer"]
    page.fill("#login", login)
    page.fill("#password", password)
    page.click("main button[type=submit]")
    page.wait_for_url(f"{system.origin}/")
    page.click("text=Log out")
    page.wait_for_url(f"{system.origin}/log-in?out=1")
    expect(page.locator("main")).to_contain_text("You are logged out.")
    page.goto(f"{system.origin}/operations")
    assert "/log-in" in page.url


def test_a_driver_gets_in_by_a_code(visitor: Visitor, system: System) -> None:
    visitor.faults.expected.append("401")
    page = visitor.open("/log-in/driver", width=360, height=740)
    page.fill("#phone", PHONE)
    page.click("main button[type=submit]")
    expect(page.locator("#code-hint")).to_have_text("The code was sent to 138****8066")
    page.fill("#code", "000000")
    page.click("main button[type=submit]")
    expect(page.get_by_role("alert")).to_have_text("The code is wrong or has expired.")
    page.fill("#code", system.driver_code(PHONE))
    page.click("main button[type=submit]")
    page.wait_for_url(f"{system.origin}/")


def test_a_bad_phone_number_is_told_at_once(visitor: Visitor) -> None:
    visitor.faults.expected.append("422")
    page = visitor.open("/log-in/driver")
    page.fill("#phone", "12345")
    page.click("main button[type=submit]")
    expect(page.get_by_role("alert")).to_have_text("Type a valid mobile number.")


def test_a_role_that_may_not_is_told_so_on_a_page(visitor: Visitor) -> None:
    visitor.faults.expected.append("403")
    page = visitor.open("/audit", "attendant")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your role does not open this page")


def test_a_page_that_is_not_there_leads_back_to_the_map(visitor: Visitor, system: System) -> None:
    visitor.faults.expected.append("404")
    page = visitor.open("/no/such/page", language="zh")
    expect(page.get_by_role("heading", level=1)).to_have_text("没有这个页面")
    page.click("text=返回地图")
    page.wait_for_url(f"{system.origin}/")


def test_a_form_of_another_site_does_nothing(visitor: Visitor, system: System) -> None:
    context = visitor.context()
    response = context.request.post(
        f"{system.origin}/log-in",
        form={"login": "operator", "password": system.log_ins["operator"][1]},
        headers={"Accept": "text/html"},
    )
    assert response.status == 403
    assert "greenbay_session" not in {cookie["name"] for cookie in context.cookies()}


def test_the_log_in_never_leads_to_another_site(visitor: Visitor, system: System) -> None:
    page = visitor.open("/log-in?next=//evil.invalid/")
    login, password = system.log_ins["inspector"]
    page.fill("#login", login)
    page.fill("#password", password)
    page.click("main button[type=submit]")
    page.wait_for_url(f"{system.origin}/")
