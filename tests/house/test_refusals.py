"""Every sentence with which a page can be refused has its Chinese."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from web.refusals import LIST, told

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parents[2]
ERRORS = {
    "Invalid",
    "Conflict",
    "NotFound",
    "Forbidden",
    "Unauthenticated",
    "Unavailable",
    "TooMany",
}
ROOMS = ("city", "journeys", "parking", "payments", "signals/services", "web")
# What devices, networks, channels, commands and the installation are told: no page asks for it.
UNSEEN = (
    "city/audit/chain.py",
    "city/events/",
    "city/street_files.py",
    "city/streets.py",
    "city/vault/keys.py",
    "city/vault/opening.py",
    "city/vault/rotation.py",
    "city/works/",
    "/adapters/",
    "/commands/",
    "/gateway/",
    "/rules/authenticity.py",
    "/rules/forecast/",
    "/rules/occupancy/",
    "/rules/sensors/",
    "/rules/wechat_v3.py",
    "web/demo",
)
SEEN_ALL_THE_SAME = ("city/works/back_pressure.py", "city/works/idempotency.py")


def _modules() -> Iterator[Path]:
    for room in ROOMS:
        found = HERE / room
        for module in sorted(found.rglob("*.py")) if found.is_dir() else [found.with_suffix(".py")]:
            name = module.relative_to(HERE).as_posix()
            if name in SEEN_ALL_THE_SAME or not any(part in f"/{name}" for part in UNSEEN):
                yield module


def _sentence(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else "0" for part in node.values
        )
    return None


def _sentences(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else None
        called = node.func.id if isinstance(node.func, ast.Name) else called
        if called not in ERRORS:
            continue
        first = node.args[0]
        for each in [first.body, first.orelse] if isinstance(first, ast.IfExp) else [first]:
            sentence = _sentence(each)
            if sentence is not None:
                yield sentence


def test_every_refusal_has_its_chinese() -> None:
    bare = {
        f"{module.relative_to(HERE)}: {sentence}"
        for module in _modules()
        for sentence in _sentences(module)
        if not re.search(r"[\u4e00-\u9fff]", told(sentence))
    }
    assert sorted(bare) == []


def test_holes_are_the_same_in_both_languages() -> None:
    sentences = json.loads(LIST.read_text("utf-8"))["sentences"]
    hole = re.compile(r"\{\d\}")
    # What a part of a plate is called in English may be left out: its place says enough.
    assert {
        english: chinese
        for english, chinese in sentences.items()
        if not set(hole.findall(chinese)) <= set(hole.findall(english))
    } == {}


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("must not lie in the past", "不能早于现在"),
        ("must lie between 1 and 20, or be null", "须在 1 至 20 之间，或为空"),
        ("is draft, not approved or published", "当前状态为草稿，而不是已批准或已公布"),
        (
            "is of no kind: must have 7 characters, has 5; the 2nd character must be a letter (x)",
            "不是任何一种号牌：应为 7 位，现为 5 位；第 2 位须为字母",
        ),
        ("The request does not fit: bays.0.kind, plate.", "填写有误：第1项种类、车牌。"),
        ("string should have at least 5 characters", "至少 5 个字符"),
        ("a sentence that nobody wrote", "a sentence that nobody wrote"),
    ],
)
def test_a_sentence_is_told_in_chinese(english: str, chinese: str) -> None:
    assert told(english) == chinese
