"""The house's own lints: what reviewers would otherwise have to look for.

Each lint is a function from source text to findings, tried on a bad example first, so that a
lint which finds nothing is known to be able to find something.
"""

from __future__ import annotations

import ast
import re
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("city", "parking", "signals", "lpr", "payments", "journeys", "web")

Finding = tuple[int, str]


def tracked(*patterns: str) -> list[Path]:
    """Files of the project: those git tracks, and new ones it does not ignore."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    return [ROOT / name for name in listed if (ROOT / name).is_file()]


def sources() -> list[Path]:
    """Return the Python sources of the seven packages."""
    return [path for path in tracked("*.py") if path.relative_to(ROOT).parts[0] in PACKAGES]


@lru_cache(maxsize=1)
def parsed(text: str) -> ast.Module:
    """Parse a source; the rules look at the same one after each other."""
    return ast.parse(text)


def calls(text: str) -> Iterator[ast.Call]:
    """Yield every call in a source text."""
    for node in ast.walk(parsed(text)):
        if isinstance(node, ast.Call):
            yield node


def dotted(node: ast.expr) -> str:
    """Return ``a.b.c`` for an attribute chain, as far as it is one."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def commits(text: str) -> list[Finding]:
    """Find a commit: only the unit of work commits."""
    return [
        (call.lineno, "commit outside the unit of work")
        for call in calls(text)
        if isinstance(call.func, ast.Attribute) and call.func.attr == "commit"
    ]


CLOCK_CALLS = {
    "datetime.now",
    "datetime.datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "datetime.date.today",
    "time.time",
    "time.time_ns",
}


def clocks(text: str) -> list[Finding]:
    """Find a clock read in place: time comes from an injected clock."""
    return [
        (call.lineno, f"{dotted(call.func)} read in place")
        for call in calls(text)
        if dotted(call.func) in CLOCK_CALLS
    ]


MONEY_NAME = re.compile(r"(^|_)(fen|minor|amount|fee|price)(_|$)")


def float_money(text: str) -> list[Finding]:
    """Find money as a float: it is integer minor units."""
    found: list[Finding] = []
    for node in ast.walk(parsed(text)):
        if isinstance(node, (ast.AnnAssign, ast.arg)):
            target = node.target if isinstance(node, ast.AnnAssign) else node
            name = getattr(target, "id", getattr(target, "arg", getattr(target, "attr", "")))
            annotation = ast.unparse(node.annotation) if node.annotation else ""
            if MONEY_NAME.search(name) and re.search(r"\bfloat\b", annotation):
                found.append((node.lineno, f"{name} is a float"))
        elif isinstance(node, ast.Call) and dotted(node.func) == "float":
            argument = ast.unparse(node.args[0]) if node.args else ""
            if MONEY_NAME.search(argument):
                found.append((node.lineno, f"float({argument})"))
    return found


PLATE_LOG_NAMES = {"plate", "plate_number", "plate_text", "plate_no"}
LOG_METHODS = {"debug", "info", "warning", "error", "exception", "critical", "bind"}


def logged_plates(text: str) -> list[Finding]:
    """Find a plate handed to a log: logs carry vehicle ids."""
    found: list[Finding] = []
    for call in calls(text):
        if not (isinstance(call.func, ast.Attribute) and call.func.attr in LOG_METHODS):
            continue
        if "log" not in dotted(call.func.value).lower():
            continue
        handed = {keyword.arg or "" for keyword in call.keywords}
        for node in ast.walk(call):
            if isinstance(node, ast.Name):
                handed.add(node.id)
            elif isinstance(node, ast.Attribute):
                handed.add(node.attr)
        found += [(call.lineno, f"{name} in a log") for name in sorted(handed & PLATE_LOG_NAMES)]
    return found


def left_for_later(text: str) -> list[Finding]:
    """Find work put off in a comment."""
    mark = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    return [
        (number, "left for later")
        for number, line in enumerate(text.splitlines(), 1)
        if mark.search(line)
    ]


def vague_names(text: str) -> list[Finding]:
    """Find a class whose name says nothing."""
    return [
        (node.lineno, f"class {node.name}")
        for node in ast.walk(parsed(text))
        if isinstance(node, ast.ClassDef) and node.name.endswith(("Manager", "Helper", "Util"))
    ]


def silent_exceptions(text: str) -> list[Finding]:
    """Find a checker silenced without saying why."""
    silenced = re.compile(r"#\s*(?:noqa\b|type:\s*ignore\b)")
    reason = re.compile(r"#\s*noqa: [A-Z0-9, ]+ - \w|#\s*type: ignore\[[\w, -]+\]\s*# (?!noqa)\w")
    lines = text.splitlines()
    return [
        (number, "silenced without a reason")
        for number, line in enumerate(lines, 1)
        # A comment above it may say why instead.
        if silenced.search(line)
        and not reason.search(line)
        and not lines[number - 2].lstrip().startswith("# ")
    ]


LINTS: dict[str, tuple[Callable[[str], list[Finding]], str, frozenset[str]]] = {
    "only the unit of work commits": (
        commits,
        "connection.commit()",
        frozenset({"city/works/database.py"}),
    ),
    "time comes from an injected clock": (
        clocks,
        "import time\nstart = time.time()",
        frozenset({"city/time.py", "city/identifiers.py"}),
    ),
    "money is never a float": (float_money, "fee_minor: float = 2.5", frozenset()),
    "no plate reaches a log": (
        logged_plates,
        "log.info('in', plate=plate)",
        frozenset(),
    ),
    "nothing is left for later": (left_for_later, "x = 1  # TO" + "DO: later", frozenset()),
    "an exception says why": (silent_exceptions, "x = 1  # no" + "qa: E501", frozenset()),
    "names say what they mean": (vague_names, "class BayManager: ...", frozenset()),
}


@pytest.mark.parametrize("rule", LINTS)
def test_each_lint_finds_its_bad_example(rule: str) -> None:
    lint, bad, _ = LINTS[rule]
    assert len(lint(bad)) == 1


def test_the_sources_keep_the_house_rules() -> None:
    found = []
    for path in sources():
        text, name = path.read_text(encoding="utf-8"), str(path.relative_to(ROOT))
        found += [
            f"{rule}: {name}:{line}: {what}"
            for rule, (lint, _, homes) in LINTS.items()
            if name not in homes
            for line, what in lint(text)
        ]
    assert found == []


def test_no_folder_or_module_is_a_drawer() -> None:
    drawers = {"utils", "util", "common", "misc", "helpers", "helper"}
    assert [str(p) for p in sources() if p.stem in drawers or p.parent.name in drawers] == []


def test_every_package_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in sources()
        if path.name == "__init__.py"
        and ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) is None
    ]
    assert silent == []


@pytest.mark.parametrize("lock", sorted(path.name for path in ROOT.glob("requirements*.txt")))
def test_a_lock_pins_with_hashes_and_holds_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    pinned = [line for line in text.splitlines() if line and line[0] not in " #"]
    assert [line for line in pinned if "==" not in line] == []
    assert text.count("--hash=sha256:") >= len(pinned)
    assert (
        re.findall(r"--(?:extra-)?index-url|--find-links|https?://|file:|(?:^|\s)/\w", text) == []
    )


def test_the_npm_lock_holds_no_address() -> None:
    text = (ROOT / "web" / "frontend" / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in text
    assert '"integrity"' in text


def test_nothing_names_a_path_of_one_machine() -> None:
    # Spelled in parts, so that this file does not find itself.
    machine = re.compile("|".join(["/wo" + "rk/", "/ro" + "ot/", "/op" + "t/(wheels|pypi)"]))
    found = []
    for path in tracked("*"):
        if path.suffix in {".png", ".woff2", ".onnx"}:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [
            f"{path.relative_to(ROOT)}:{number}"
            for number, line in enumerate(text.splitlines(), 1)
            if machine.search(line)
        ]
    assert found == []
