"""The documentation leads somewhere: every relative link of every page has its target."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_of_a_page_has_its_target(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_a_link_to_nothing_would_be_found() -> None:
    assert LINK.findall("[here](no/such.md) [out](https://example.org)") == ["no/such.md"]


@pytest.mark.parametrize("decision", sorted((ROOT / "docs" / "decisions").glob("*.md")))
def test_a_decision_fits_a_page(decision: Path) -> None:
    assert len(decision.read_text(encoding="utf-8").splitlines()) <= 70
