"""What parking costs in the demo town: three tariffs of its own, in the tariff language.

The kerb's have the shape of a large Chinese city's kerbs (day by the quarter hour with a dearer
rest after the first hour, night by longer units, full units only); every figure is invented. They
know no holidays, so that they also hold in years whose calendar is not published yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

LANGUAGE: Final = "greenbay-tariff/1"
CURRENCY: Final = "CNY"
TIMEZONE: Final = "Asia/Shanghai"
QUARTER_S: Final = 900
HALF_S: Final = 1_800
HOUR_S: Final = 3_600
DAY_FROM: Final = "07:00"
NIGHT_FROM: Final = "20:00"

KERB_CENTRE: Final = "kerb-zone-1"
KERB_OUTER: Final = "kerb-zone-2"
GARAGE: Final = "garage"


def _name(zh: str, en: str) -> dict[str, JsonValue]:
    return {"zh": zh, "en": en}


EXEMPTIONS: Final[list[JsonValue]] = [
    {
        "id": "emergency",
        "name": _name("应急救援车辆", "emergency vehicle"),
        "plate_kinds": ["emergency_white"],
    },
    {"id": "police", "name": _name("警车", "police vehicle"), "plate_kinds": ["police_white"]},
    {
        "id": "military",
        "name": _name("军车、武警车", "military vehicle"),
        "plate_kinds": ["military_white", "wj_white"],
    },
]


def _steps(rounding: str, *steps: tuple[int | None, int, int]) -> dict[str, JsonValue]:
    """Give a price in steps of (until_s, unit_s, price_minor)."""
    return {
        "kind": "steps",
        "rounding": rounding,
        "steps": [
            {
                **({} if until_s is None else {"until_s": until_s}),
                "unit_s": unit_s,
                "price_minor": price_minor,
            }
            for until_s, unit_s, price_minor in steps
        ],
    }


def _kerb_bands(first_minor: int, later_minor: int, night_minor: int) -> list[JsonValue]:
    """Day by the quarter hour, dearer after the first hour; night by two hours."""
    return [
        {
            "id": "day",
            "name": _name("白天", "day"),
            "from": DAY_FROM,
            "to": NIGHT_FROM,
            "counts": "stay",
            "charge": _steps(
                "completed",
                (HOUR_S, QUARTER_S, first_minor),
                (None, QUARTER_S, later_minor),
            ),
        },
        {
            "id": "night",
            "name": _name("夜间", "night"),
            "from": NIGHT_FROM,
            "to": DAY_FROM,
            "charge": _steps("completed", (None, 2 * HOUR_S, night_minor)),
        },
    ]


def _kerb(
    name: dict[str, JsonValue], first_minor: int, later_minor: int, night_minor: int
) -> dict[str, JsonValue]:
    """Give a kerb's tariff: large vehicles at twice the price of all others."""
    return {
        "language": LANGUAGE,
        "name": name,
        "source": "Greenbay's demo town; invented figures.",
        "currency": CURRENCY,
        "timezone": TIMEZONE,
        "schedules": [
            {
                "id": "large",
                "vehicles": ["large"],
                "bands": _kerb_bands(2 * first_minor, 2 * later_minor, 2 * night_minor),
                "re_entry": {"within_s": QUARTER_S},
            },
            {
                "id": "ordinary",
                "bands": _kerb_bands(first_minor, later_minor, night_minor),
                "re_entry": {"within_s": QUARTER_S},
            },
        ],
        "exemptions": EXEMPTIONS,
    }


def _garage_schedule(
    head: dict[str, JsonValue], first_minor: int, later_minor: int, cap_minor: int
) -> dict[str, JsonValue]:
    return {
        **head,
        "bands": [
            {
                "id": "all-day",
                "name": _name("全天", "all day"),
                "counts": "24h",
                "charge": _steps(
                    "started", (HOUR_S, HOUR_S, first_minor), (None, HALF_S, later_minor)
                ),
            }
        ],
        "caps": [{"per": "24h", "minor": cap_minor}],
    }


def _garage() -> dict[str, JsonValue]:
    free_s = 2 * HOUR_S
    return {
        "language": LANGUAGE,
        "name": _name("公共停车库", "Public garages"),
        "source": "Greenbay's demo town; invented figures.",
        "currency": CURRENCY,
        "timezone": TIMEZONE,
        "schedules": [
            _garage_schedule(
                {
                    "id": "new-energy",
                    "energies": ["new"],
                    "free": {"up_to_s": free_s, "when_exceeded": "deducted", "once_per": "day"},
                },
                600,
                250,
                4_200,
            ),
            _garage_schedule({"id": "large", "vehicles": ["large"]}, 1_200, 500, 8_400),
            _garage_schedule({"id": "ordinary"}, 600, 250, 4_200),
        ],
        "exemptions": EXEMPTIONS,
    }


DOCUMENTS: Final[Mapping[str, dict[str, JsonValue]]] = {
    KERB_CENTRE: _kerb(_name("道路停车一类区域", "Kerb, zone I"), 220, 320, 160),
    KERB_OUTER: _kerb(_name("道路停车二类区域", "Kerb, zone II"), 130, 190, 120),
    GARAGE: _garage(),
}
"""Document by the tariff's code."""
