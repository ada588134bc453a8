"""The catalogue: both languages say the same things, and every text that is asked for is there."""

from __future__ import annotations

import json
import re
from pathlib import Path

from web.pages.texts import catalogue, holes, text

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [
    *(ROOT / "web" / "templates").rglob("*.html"),
    *(ROOT / "web" / "frontend" / "src").rglob("*.ts"),
    *(ROOT / "web" / "pages").glob("*.py"),
]
ASKED = re.compile(r"""\b(?:t|text|_text)\(\s*["']([a-z_]+\.[a-z_.-]+[a-z])["']""")


def test_both_languages_have_the_same_keys_in_the_same_order() -> None:
    assert list(catalogue("zh")) == list(catalogue("en"))


def test_every_text_has_the_same_holes_in_both_languages() -> None:
    chinese, english = catalogue("zh"), catalogue("en")
    assert [key for key in english if holes(chinese[key]) != holes(english[key])] == []


def test_no_text_is_empty() -> None:
    assert [key for key in catalogue("en") if not catalogue("en")[key].strip()] == []
    assert [key for key in catalogue("zh") if not catalogue("zh")[key].strip()] == []


def test_every_text_that_a_page_asks_for_is_there() -> None:
    asked = {key for source in SOURCES for key in ASKED.findall(source.read_text("utf-8"))} - {
        "shell.text"
    }
    assert len(asked) > 150
    assert sorted(asked - set(catalogue("en"))) == []


def test_a_hole_without_a_value_stays_visible() -> None:
    assert text("en", "login.too_many") == "Too many tries. Try again in {seconds} s."
    assert text("en", "login.too_many", seconds=9) == "Too many tries. Try again in 9 s."


def test_the_catalogues_are_flat_json() -> None:
    for language in ("zh", "en"):
        catalogue = (ROOT / "web" / "catalogue" / f"{language}.json").read_text("utf-8")
        raw = json.loads(catalogue, object_pairs_hook=list)
        assert {type(value) for _, value in raw} == {str}
        # The last of two would be shown in place of the first, wherever that stands.
        assert len({key for key, _ in raw}) == len(raw)
