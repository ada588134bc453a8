"""The documentation leads somewhere: links, files, commands, and each role's own pages."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from city.people.roles import Role
from journeys import wiring
from web.app import create_app

if TYPE_CHECKING:
    from flask import Flask

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


CURRENT = [page for page in PAGES if page.name != "CHANGELOG.md"]
CODE = re.compile(r"`([^`\n]+)`")
ROOMS = "city|parking|signals|lpr|payments|journeys|web|bench|migrations"
SOURCE = re.compile(rf"(?:{ROOMS})/[\w./*-]+")
MODULE = re.compile(rf"python -m ((?:{ROOMS})[\w.]*)")
BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
TARGET = re.compile(r"^make ([a-z-]+)")


def is_there(name: str) -> bool:
    """Say whether the tree has a file, a folder, a module, or a name in a module, as it is told."""
    module, _, member = name.rpartition(".")
    source = ROOT / f"{module}.py"
    return (
        any(ROOT.glob(name.rstrip("/")))
        or (ROOT / f"{name}.py").is_file()
        or (source.is_file() and member in re.findall(r"\w+", source.read_text("utf-8")))
    )


def named(page: Path) -> tuple[set[str], set[str], set[str]]:
    """Give what a page names of the tree: sources, modules to run, targets of make."""
    text = page.read_text("utf-8")
    spans = CODE.findall(text)
    lines = [line for block in BLOCK.findall(text) for line in block.splitlines()]
    return (
        {span for span in spans if SOURCE.fullmatch(span)},
        set(MODULE.findall(text)),
        {found[1] for line in spans + lines if (found := TARGET.match(line))},
    )


@pytest.mark.parametrize("page", CURRENT, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_names_of_the_tree_is_there(page: Path) -> None:
    sources, modules, targets = named(page)
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert [each for each in sources if not is_there(each)] == []
    assert [each for each in modules if find_spec(each) is None] == []
    assert targets - known == set()


def test_what_is_not_there_would_be_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("`web/no_such.py` and `city/time.py`: `python -m city.nothing`, `make haste`")
    assert named(page) == ({"web/no_such.py", "city/time.py"}, {"city.nothing"}, {"haste"})
    assert [is_there(each) for each in ("web/no_such.py", "city/time.no_such", "city/time")] == [
        False,
        False,
        True,
    ]


STEPS = {"/find", "/mine/cards/payer"}
"""Addresses that lead on to another page at once."""


@pytest.fixture(scope="module")
def site() -> Flask:
    """Give the application with its routes, and nothing behind it."""
    return create_app(wiring.build(offline=True))


@pytest.mark.parametrize("role", Role)
def test_a_roles_page_tells_of_every_page_that_it_may_open(site: Flask, role: Role) -> None:
    told = (ROOT / "docs" / "roles" / f"{role.value}.md").read_text("utf-8")
    pages = {
        rule.rule
        for rule in site.url_map.iter_rules()
        if rule.endpoint.startswith("pages.")
        and not rule.arguments
        and "GET" in (rule.methods or ())
        and role in site.view_functions[rule.endpoint].__dict__["access_rule"].roles
    }
    assert pages  # a page for nobody would prove nothing
    assert sorted(page for page in pages - STEPS if f"`{page}`" not in told) == []
