"""QR codes of our own addresses, as SVG to print."""

from __future__ import annotations

from typing import Final

import segno

QUIET_MODULES: Final = 4
"""ISO/IEC 18004: the light margin that a reader needs, in modules."""
CORRECTION: Final = "m"
"""15 % of a sign may be scratched or dirty."""


def modules(text: str) -> tuple[tuple[bool, ...], ...]:
    """Give the code of a text as rows of dark modules, without the margin."""
    code = segno.make_qr(text, error=CORRECTION)
    return tuple(tuple(bool(each) for each in row) for row in code.matrix)


def svg(text: str, title: str) -> str:
    """Draw the code of a text: dark on light whatever the page's theme, with its margin.

    Parameters
    ----------
    text
        What the code says, such as a bay's address.
    title
        What it is, for those who do not see it; escaped here.
    """
    rows = modules(text)
    side = len(rows) + 2 * QUIET_MODULES
    path = "".join(
        f"M{start + QUIET_MODULES} {y + QUIET_MODULES}h{length}v1h-{length}z"
        for y, row in enumerate(rows)
        for start, length in _runs(row)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" role="img"'
        f' shape-rendering="crispEdges"><title>{_escaped(title)}</title>'
        f'<path fill="#fff" d="M0 0h{side}v{side}H0z"/><path fill="#000" d="{path}"/></svg>'
    )


def _runs(row: tuple[bool, ...]) -> list[tuple[int, int]]:
    """Give the stretches of dark modules of a row: where each begins, and how long it is."""
    runs: list[tuple[int, int]] = []
    start: int | None = None
    for x, dark in enumerate((*row, False)):
        if dark and start is None:
            start = x
        elif not dark and start is not None:
            runs.append((start, x - start))
            start = None
    return runs


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
