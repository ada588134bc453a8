"""Supervision: who is on the street, what calls, how fast it ends, and who differs from peers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import pytest
from playwright.sync_api import expect

from tests.browser.pictures import shot
from tests.browser.test_every_page import violations
from tests.browser.test_patrol import busiest

if TYPE_CHECKING:
    from playwright.sync_api import Route

    from tests.browser.conftest import Visitor

# A place far from the town, as other tests here make, may be out of view; the town may not.
MOST_PINS_SHOWN: Final = """() => {
  const view = document.querySelector("#map").getBoundingClientRect();
  const pins = [...document.querySelectorAll("#map .supervision-pin-task")];
  const shown = pins.filter((pin) => {
    const at = pin.getBoundingClientRect();
    const beside = at.left >= view.left && at.right <= view.right;
    return beside && at.top >= view.top && at.bottom <= view.bottom;
  });
  return shown.length > pins.length / 2;
}"""

pytestmark = pytest.mark.usefixtures("lively")


def with_a_photo(route: Route, stay_id: str) -> None:
    """Answer as the server does, with a photo that never came: one is late after half an hour."""
    answer = route.fetch()
    body = answer.json()
    body["photos"] = [
        {
            "photo_id": str(UUID(int=1)),
            "act_id": str(UUID(int=2)),
            "kind": "exempt",
            "terminal": "PDA-07",
            "name": "Li Na",
            "bay_label": "K001-03",
            "facility": {"zh": "渡口路", "en": "Ferry Road"},
            "session_id": stay_id,
            "at": body["at"],
            "part_bytes": 131_072,
        }
    ]
    route.fulfill(response=answer, body=json.dumps(body))


def test_a_supervisor_sees_the_street_on_one_page(visitor: Visitor) -> None:
    busiest(visitor)
    supervision = visitor.ask("operator", "/api/v1/supervision?hours=24")
    assert supervision["people"]
    assert "plate" in [each["kind"] for each in supervision["responses"]]
    stay = visitor.ask("operator", "/api/v1/sessions?limit=1")["items"][0]
    for language, width, theme in (
        ("zh", 1440, "light"),
        ("en", 360, "dark"),
        ("en", 768, "light"),
    ):
        how: Any = {"language": language, "width": width, "theme": theme}
        page = visitor.watched(visitor.context("operator", **how))
        page.route("**/api/v1/supervision*", lambda route: with_a_photo(route, stay["id"]))
        page.goto(f"{visitor.system.origin}/supervision")
        expect(page.locator("#people tbody tr").first).to_be_visible()
        expect(page.locator("#responses tbody tr").first).to_be_visible()
        expect(page.locator("#map[data-loaded]")).to_be_visible()
        page.locator("#map").scroll_into_view_if_needed()
        page.wait_for_function(MOST_PINS_SHOWN)
        signals = "仅为提示" if language == "zh" else "no verdicts"
        expect(page.locator(".note-warning")).to_contain_text(signals)
        expect(page.locator("#honesty .empty, #honesty .supervision-line").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        shot(page, f"supervision-{language}-{width}")
        assert violations(page) == []
    row = page.locator("#photos tbody tr")
    expect(row).to_contain_text("Bay K001-03 freed of its fee")
    expect(row).to_contain_text("came in part")
    row.get_by_role("button", name="Await it no more").click()
    expect(page.locator("#dialog")).to_contain_text("your reason is on record")
    page.keyboard.press("Escape")
    row.get_by_role("link").click()
    page.wait_for_url(f"**/stays?stay={stay['id']}")


def test_a_line_opens_what_is_behind_it(visitor: Visitor) -> None:
    stay = visitor.ask("operator", "/api/v1/sessions?limit=1")["items"][0]
    line = {
        "signal": "unnamed",
        "person": "p",
        "name": "Li Na",
        "value": 0.31,
        "usual": 0.1,
        "events": 61,
        "trials": 197,
        "expected": 19.7,
        "ratio": 2.9,
        "p": 1e-6,
        "q": 2e-5,
        "people": 9,
        "strata": 12,
        "evidence": [{"kind": "stay", "id": stay["id"], "at": "2026-03-02T01:00:00Z"}],
    }
    told = {
        "from_at": "2026-02-16T01:00:00Z",
        "until_at": "2026-03-02T01:00:00Z",
        "people": 9,
        "looks": 42,
        "false_share": 0.1,
        "rested_on": {},
        "lines": [line],
    }
    page = visitor.watched(visitor.context("operator", width=360, height=760))
    page.route("**/api/v1/honesty", lambda route: route.fulfill(json=told))
    page.goto(f"{visitor.system.origin}/supervision")
    row = page.locator(".supervision-line")
    expect(row).to_contain_text("Li Na: stays nobody named")
    expect(row).to_contain_text("31 %, peers 10 %")
    row.locator("summary").click()
    shot(page, "supervision-line-360")
    row.get_by_role("link").click()
    page.wait_for_url(f"**/stays?stay={stay['id']}")
