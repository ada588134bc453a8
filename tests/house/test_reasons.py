"""Each reason that the system itself gives for moving money has its Chinese."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from journeys import act_at_pos
from payments import money_back
from web.reasons import in_chinese_words

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE: Final = Path(__file__).parents[2]
BOOKING: Final = sorted((HERE / "payments" / "rules").glob("*booking.py"))
BY_NAME: Final = (
    money_back.UNUSED_REASON,
    money_back.CANCELLED_REASON,
    money_back.SURPLUS_REASON,
    act_at_pos.VOIDED,
    act_at_pos.REVERSED,
    act_at_pos.REFUNDED,
)


def _texts(tree: ast.AST) -> Iterator[str]:
    """Give what a module writes into entries: all its texts but docstrings and names."""
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    parts = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
        if part is not node
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "2026-03-02"
                for part in node.values
            )
        elif isinstance(node, ast.Constant) and id(node) not in docstrings | parts:
            yield str(node.value)


def _booked() -> Iterator[str]:
    for module in BOOKING:
        for text in _texts(ast.parse(module.read_text("utf-8"))):
            if " " in text:
                yield text


def test_every_reason_of_the_system_has_its_chinese() -> None:
    reasons = {*_booked(), *BY_NAME}
    assert len(reasons) > len(BY_NAME) + 5
    bare = {each for each in reasons if not re.search(r"[\u4e00-\u9fff]", in_chinese_words(each))}
    assert sorted(bare) == []


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("settled for 2026-03-02", "2026-03-02 渠道结算"),
        (
            "5.5 % of what was left 120 days after the due date",
            "到期后 120 天，按未缴余额的 5.5% 加收",
        ),
        # What people wrote stays, also where it is a word of our refusals.
        ("place", "place"),
        ("the barrier stood still", "the barrier stood still"),
    ],
)
def test_a_reason_is_told_in_chinese(english: str, chinese: str) -> None:
    assert in_chinese_words(english) == chinese
