"""What holds for every page: readable by machines and people, at every width, in both languages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Page

    from tests.browser.conftest import Visitor
    from tests.browser.system import System

pytestmark = pytest.mark.usefixtures("lively")

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "web" / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
COLOUR_RULES: Final = ("color-contrast", "link-in-text-block")
WIDTHS: Final = (360, 768, 1440)
PAGES = (
    ("/", None),
    ("/log-in", None),
    ("/log-in/driver", None),
    ("/api/docs", None),
    ("/attendant", "attendant"),
    ("/inspector", "inspector"),
    ("/operations", "operator"),
    ("/tariffs", "operator"),
    ("/permits", "operator"),
    ("/reservations", "operator"),
    ("/benefits", "operator"),
    ("/blacklist", "operator"),
    ("/compensation", "operator"),
    ("/abuse", "operator"),
    ("/places", "operator"),
    ("/disputes", "finance"),
    ("/terminals", "operator"),
    ("/shifts", "operator"),
    ("/stays", "operator"),
    ("/gates", "operator"),
    ("/reads", "operator"),
    ("/finance", "finance"),
    ("/finance/refunds", "finance"),
    ("/finance/invoices", "finance"),
    ("/finance/arrears", "finance"),
    ("/cards", "finance"),
    ("/audit", "auditor"),
    ("/figures", "operator"),
)


def violations(page: Page, *, colours_only: bool = False) -> list[str]:
    """Run axe on a page as it stands and give what it finds, a line each.

    Another theme changes nothing but colours: with `colours_only` the rules about them run alone.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text("utf-8"))
    rules = {"runOnly": COLOUR_RULES} if colours_only else {}
    found: Any = page.evaluate(
        "options => axe.run(document, options)", {"resultTypes": ["violations"], **rules}
    )
    return [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in found["violations"]
        for node in each["nodes"]
    ]


def settle(page: Page, path: str) -> None:
    """Wait until what a page loads stands."""
    waits = {
        "/": "#facilities [data-id]",
        "/attendant": ".post-choice",
        "/inspector": ".post-choice",
        "/operations": "#devices [data-device]",
        "/tariffs": "#fault .tag-good",
        "/places": "[data-row]",
        "/terminals": "#terminals .empty, #terminals [data-row]",
        "/shifts": "#shifts .empty, #shifts [data-row]",
        "/permits": "#permits .empty, #permits [data-permit]",
        "/reservations": ".calendar-day",
        "/benefits": ".table-box tbody tr, .table-box .empty",
        "/blacklist": ".policy tbody tr",
        "/compensation": ".table-box tbody tr, .table-box .empty",
        "/abuse": ".table-box tbody tr, .table-box .empty",
        "/cards": "#liabilities, #second .empty",
        "/audit": "#records tbody tr",
        "/figures": ".figure-table tbody tr",
    }
    if path in waits:
        page.wait_for_selector(waits[path])


def widths_too_narrow(page: Page, widths: Sequence[int]) -> list[int]:
    """Give the windows' widths at which a page would have to be moved sideways."""
    found = []
    for width in widths:
        page.set_viewport_size({"width": width, "height": 900})
        wide: Any = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        found += [width] if wide > 0 else []
    return found


@pytest.mark.parametrize(("path", "role"), PAGES)
def test_a_page_has_no_fault_that_axe_knows_and_fits_its_window(
    visitor: Visitor, path: str, role: str | None
) -> None:
    page = visitor.open(path, role, width=360)
    settle(page, path)
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page, colours_only=True) == []
    assert widths_too_narrow(page, WIDTHS) == []
    # The longest page by far, and the same at both widths: axe takes half a minute for it.
    if path != "/api/docs":
        assert violations(page) == []
        page.emulate_media(color_scheme="light")
        assert violations(page, colours_only=True) == []


@pytest.mark.parametrize(("path", "role"), PAGES)
def test_a_page_in_chinese_fits_its_window(visitor: Visitor, path: str, role: str | None) -> None:
    page = visitor.open(path, role, width=1440, language="zh")
    settle(page, path)
    assert widths_too_narrow(page, WIDTHS[::-1]) == []


def in_both_themes(page: Page) -> list[str]:
    """Give what axe finds on a page in light, and what of colours in dark."""
    found = violations(page)
    page.emulate_media(color_scheme="dark")
    found += [f"dark: {each}" for each in violations(page, colours_only=True)]
    page.emulate_media(color_scheme="light")
    return found


def test_an_open_bay_with_its_evidence_has_no_fault_either(visitor: Visitor) -> None:
    page = visitor.open("/", "operator")
    page.locator("#facilities [data-id]").first.click()
    page.wait_for_selector(".bay-button")
    assert in_both_themes(page) == []
    page.locator(".bay-button").first.click()
    page.wait_for_selector(".evidence .frame, .evidence .note")
    assert in_both_themes(page) == []


def test_a_post_and_its_plate_pad_have_none(visitor: Visitor, lively: System) -> None:
    facility_id = visitor.ask("attendant", "/api/v1/sessions?state=open&limit=1")["items"][0][
        "facility_id"
    ]
    page = visitor.watched(visitor.context("attendant", width=360, height=720))
    page.add_init_script(f"localStorage.setItem('greenbay.post', '{facility_id}')")
    page.goto(f"{lively.origin}/attendant")
    page.wait_for_selector(".cell")
    assert in_both_themes(page) == []
    page.locator(".cell[data-state=occupied]").first.click()
    page.wait_for_selector("#act .fee, #act .note")
    assert in_both_themes(page) == []


def test_pages_forbid_what_is_not_ours(visitor: Visitor, system: System) -> None:
    response = visitor.context().request.get(system.origin)
    policy = response.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "style-src 'self';" in policy
    assert "unsafe" not in policy
    assert response.headers["cache-control"] == "private, no-store"


def test_hashed_files_are_kept_and_the_page_is_not(visitor: Visitor, system: System) -> None:
    request = visitor.context().request
    body = request.get(system.origin).text()
    script = body.split('<script type="module" src="')[1].split('"')[0]
    kept = request.get(system.origin + script).headers
    assert kept["cache-control"] == "public, max-age=31536000, immutable"
    assert kept["content-type"].startswith("text/javascript")
    assert "<script>" not in body
    assert " style=" not in body
