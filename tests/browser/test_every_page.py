"""What holds for every page: readable by machines and people, at every width, in both languages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Visitor
    from tests.browser.system import System

pytestmark = pytest.mark.usefixtures("lively")

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "web" / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
THEMES: Final = ("light", "dark")
PAGES = (
    ("/", None),
    ("/log-in", None),
    ("/log-in/driver", None),
    ("/api/docs", None),
    ("/attendant", "attendant"),
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
    ("/stays", "operator"),
    ("/finance", "finance"),
    ("/finance/refunds", "finance"),
    ("/finance/arrears", "finance"),
    ("/audit", "auditor"),
    ("/figures", "operator"),
)


def violations(page: Page) -> list[str]:
    """Run axe on a page as it stands and give what it finds, a line each."""
    page.evaluate(AXE.read_text("utf-8"))
    found: Any = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
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
        "/operations": "#devices [data-device]",
        "/tariffs": "#fault .tag-good",
        "/places": "[data-row]",
        "/permits": "#permits .empty, #permits [data-permit]",
        "/reservations": ".calendar-day",
        "/benefits": ".table-box tbody tr, .table-box .empty",
        "/blacklist": ".policy tbody tr",
        "/compensation": ".table-box tbody tr, .table-box .empty",
        "/abuse": ".table-box tbody tr, .table-box .empty",
        "/audit": "#records tbody tr",
        "/figures": ".figure-table tbody tr",
    }
    if path in waits:
        page.wait_for_selector(waits[path])


@pytest.mark.parametrize(
    ("path", "role", "width"),
    [
        (path, role, width)
        for path, role in PAGES
        for width in (360, 1440)
        # The longest page by far, and the same at both widths: axe takes half a minute for it.
        if (path, width) != ("/api/docs", 1440)
    ],
)
def test_a_page_has_no_fault_that_axe_knows(
    visitor: Visitor, path: str, role: str | None, width: int
) -> None:
    page = visitor.open(path, role, width=width)
    settle(page, path)
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        assert (theme, violations(page)) == (theme, [])


@pytest.mark.parametrize("theme", THEMES)
def test_an_open_bay_with_its_evidence_has_no_fault_either(visitor: Visitor, theme: str) -> None:
    page = visitor.open("/", "operator", theme=theme)
    page.locator("#facilities [data-id]").first.click()
    page.wait_for_selector(".bay-button")
    assert violations(page) == []
    page.locator(".bay-button").first.click()
    page.wait_for_selector(".evidence .frame, .evidence .note")
    assert violations(page) == []


@pytest.mark.parametrize("theme", THEMES)
def test_a_post_and_its_plate_pad_have_none(visitor: Visitor, lively: System, theme: str) -> None:
    facility_id = visitor.ask("attendant", "/api/v1/sessions?state=open&limit=1")["items"][0][
        "facility_id"
    ]
    page = visitor.watched(visitor.context("attendant", width=360, height=720, theme=theme))
    page.add_init_script(f"localStorage.setItem('greenbay.post', '{facility_id}')")
    page.goto(f"{lively.origin}/attendant")
    page.wait_for_selector(".cell")
    assert violations(page) == []
    page.locator(".cell[data-state=occupied]").first.click()
    page.wait_for_selector("#act .fee, #act .note")
    assert violations(page) == []


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(("path", "role"), PAGES)
def test_no_page_is_wider_than_its_window(
    visitor: Visitor, path: str, role: str | None, language: str
) -> None:
    page = visitor.open(path, role, width=360, language=language)
    settle(page, path)
    for width in (360, 768, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        wide: Any = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert (width, wide <= 0) == (width, True)


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
