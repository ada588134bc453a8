"""Lines of a fee in both languages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parking.rules.tariffs.reasons import Why

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic import JsonValue


def bill_lines(lines: Iterable[Mapping[str, JsonValue]], currency: str) -> list[dict[str, Any]]:
    """Return stored lines (see ``Quote.lines_json``) as responses carry them."""
    shown = []
    for line in lines:
        why = Why.from_json(line["why"])
        shown.append(
            {
                "from_at": line["from"],
                "to_at": line["to"],
                "band": line["band"],
                "units": line["units"],
                "amount": {"minor": line["minor"], "currency": currency},
                "why": {"zh": why.text("zh"), "en": why.text("en")},
            }
        )
    return shown
