"""What we refuse, in Chinese for who asks in Chinese.

Rooms speak English: one sentence an error, told apart by nothing else. Here each sentence has its
Chinese, found by the sentence itself with holes where figures stand, as catalogues of gettext do.
A sentence that the list lacks stays as it is; a test holds the list against every sentence of the
code.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from flask import has_request_context, request

if TYPE_CHECKING:
    from collections.abc import Mapping

LIST: Final = Path(__file__).with_name("refusals_zh.json")
MOST_CHARACTERS: Final = 1_000
"""A longer sentence quotes something: it is not looked for."""
NESTED: Final = 2
"""Sentences within sentences, such as why a plate is of no kind."""

_HOLE: Final = re.compile(r"\\\{(\d)\\\}")


class _Pattern(NamedTuple):
    matches: re.Pattern[str]
    chinese: str


class _Known(NamedTuple):
    words: Mapping[str, str]
    sentences: Mapping[str, str]
    patterns: tuple[_Pattern, ...]


def in_chinese() -> bool:
    """Tell whether the caller asks for Chinese: by Accept-Language; English where it is silent."""
    if not has_request_context():
        return False
    best = request.accept_languages.best_match(["en", "zh", "zh-CN", "zh-Hans"], default="en")
    return best != "en"


def in_words(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a problem document with its sentences in Chinese; what programs read stays.

    Parameters
    ----------
    body
        With ``detail``, and ``errors`` of ``{"field", "detail"}`` where fields are at fault.
    """
    told_body = dict(body)
    told_body["detail"] = _about(str(body["detail"]), _fields(body))
    if "errors" in body:
        told_body["errors"] = [
            {**each, "detail": _about(each["detail"], (each["field"],))} for each in body["errors"]
        ]
    return told_body


def told(sentence: str) -> str:
    """Return a sentence in Chinese; itself where the list lacks it.

    Notes
    -----
    A look-up, else one match for each sentence with holes, some hundred.
    """
    return _told(sentence, NESTED)


def as_asked(sentence: str) -> str:
    """Return a reason within an answer, in the caller's language."""
    return told(sentence) if in_chinese() else sentence


def _fields(body: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(each["field"] for each in body.get("errors", ()))


def _about(detail: str, fields: tuple[str, ...]) -> str:
    for field in fields:
        if detail.startswith(f"{field}: "):
            return f"{_label(field)}：{told(detail.removeprefix(f'{field}: '))}"
    # A fault of a form's field does not name it.
    said = told(detail)
    whole = said == detail or said.endswith("。") or len(fields) != 1
    return said if whole else f"{_label(fields[0])}：{said}"


def _label(field: str) -> str:
    """Name a field, dotted where it is nested: the last part that is no number says what it is."""
    words = _known().words
    if field in words:
        return words[field]
    *before, last = field.split(".")
    if last in words:
        places = [f"第{int(part) + 1}项" for part in before if part.isdigit()]
        return "".join(places) + words[last]
    return field


def _told(sentence: str, deeper: int) -> str:
    known = _known()
    for written in (sentence, sentence[:1].upper() + sentence[1:]):
        found = known.sentences.get(written) or known.words.get(written)
        if found is not None:
            return found
    if len(sentence) > MOST_CHARACTERS or deeper < 0:
        return sentence
    for pattern in known.patterns:
        match = pattern.matches.fullmatch(sentence)
        if match is not None:
            parts = (_told(part, deeper - 1) for part in match.groups())
            return pattern.chinese.format(*parts)
    for between, joined in (("; ", "；"), (" or ", "或"), (", ", "、")):
        if between in sentence:
            return joined.join(_told(part, deeper - 1) for part in sentence.split(between))
    return sentence if " " in sentence else _label(sentence)


@cache
def _known() -> _Known:
    read: dict[str, dict[str, str]] = json.loads(LIST.read_text("utf-8"))
    sentences = read["sentences"]
    holed = sorted((each for each in sentences if "{0}" in each), key=_literal, reverse=True)
    return _Known(
        words=read["words"],
        sentences=sentences,
        patterns=tuple(_Pattern(_compiled(each), sentences[each]) for each in holed),
    )


def _literal(sentence: str) -> int:
    """Count what a sentence says outside its holes: the most telling one is tried first."""
    return len(re.sub(r"\{\d\}", "", sentence))


def _compiled(sentence: str) -> re.Pattern[str]:
    # Sentences of pydantic begin with a capital that some rooms take off.
    # No hole holds a semicolon: it joins two sentences, each looked for by itself.
    pattern = _HOLE.sub("([^;]+?)", re.escape(sentence))
    first = pattern[0]
    if first.isalpha():
        pattern = f"[{first.lower()}{first.upper()}]{pattern[1:]}"
    return re.compile(pattern, re.DOTALL)
