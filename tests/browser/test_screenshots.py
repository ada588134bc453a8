"""Pictures of the pages for the documentation, made only when asked for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.browser.conftest import Visitor
    from tests.browser.system import System

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
MOST_BYTES = 300_000
HEIGHTS = {360: 740, 768: 1024, 1440: 900}

pytestmark = [
    pytest.mark.skipif(
        os.environ.get("GREENBAY_SCREENSHOTS") != "1",
        reason="pictures are drawn anew only with GREENBAY_SCREENSHOTS=1",
    ),
    pytest.mark.usefixtures("lively"),
]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("width", list(HEIGHTS))
def test_draw_the_map(visitor: Visitor, language: str, width: int) -> None:
    page = visitor.open("/", language=language, width=width, height=HEIGHTS[width])
    page.wait_for_selector("#map[data-loaded]")
    page.wait_for_timeout(4_000)
    path = IMAGES / f"map-{language}-{width}.png"
    page.screenshot(path=path)
    assert path.stat().st_size <= MOST_BYTES


@pytest.mark.parametrize("language", ["zh", "en"])
def test_draw_a_bay_with_its_evidence(visitor: Visitor, language: str) -> None:
    theme = "dark" if language == "en" else "light"
    page = visitor.open("/", "operator", language=language, theme=theme)
    page.wait_for_selector("#map[data-loaded]")
    page.select_option("#sorting", "name")
    page.locator("#facilities [data-id]").nth(2).click()
    page.locator(".bay-button[data-state=occupied]").first.click()
    page.wait_for_selector(".evidence .frame")
    page.wait_for_timeout(4_000)
    path = IMAGES / f"bay-{language}-1440.png"
    page.screenshot(path=path)
    assert path.stat().st_size <= MOST_BYTES


def test_draw_the_handheld(visitor: Visitor, lively: System) -> None:
    facility_id = visitor.ask("attendant", "/api/v1/sessions?state=open&limit=1")["items"][0][
        "facility_id"
    ]
    for language in ("zh", "en"):
        context = visitor.context("attendant", language=language, width=360, height=740, scale=2)
        page = visitor.watched(context)
        page.add_init_script(f"localStorage.setItem('greenbay.post', '{facility_id}')")
        page.goto(f"{lively.origin}/attendant")
        page.wait_for_selector(".cell")
        path = IMAGES / f"attendant-{language}-360.png"
        page.screenshot(path=path)
        assert path.stat().st_size <= MOST_BYTES


def test_draw_the_workbench(visitor: Visitor) -> None:
    page = visitor.open("/operations", "operator")
    page.wait_for_selector("#devices [data-device]")
    path = IMAGES / "operations-en-1440.png"
    page.screenshot(path=path)
    assert path.stat().st_size <= MOST_BYTES
