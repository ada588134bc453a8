"""Small tariffs for tests: bands, charges and stays counted in hours from a Monday's nine."""

from datetime import UTC, datetime, timedelta
from typing import Any

from parking.rules.tariffs.evaluation import evaluate
from parking.rules.tariffs.model import Claims, EarlierStay, Payment, Quote, Stay, VehicleTraits
from parking.rules.tariffs.plan import Tariff, read_tariff

# Monday 2026-03-02, nine in the morning in Shanghai
NINE = datetime(2026, 3, 2, 1, tzinfo=UTC)
NO_CLAIMS = Claims()


def steps(
    *each: tuple[int, int] | tuple[int, int, int], rounding: str = "started", tolerance_s: int = 0
) -> dict[str, Any]:
    """Give steps of (unit_s, price_minor), the earlier ones with an until_s behind."""
    return {
        "kind": "steps",
        "rounding": rounding,
        "tolerance_s": tolerance_s,
        "steps": [
            dict(zip(("unit_s", "price_minor", "until_s"), step, strict=False)) for step in each
        ],
    }


def entry(minor: int) -> dict[str, Any]:
    return {"kind": "entry", "price_minor": minor}


FREE: dict[str, Any] = {"kind": "free"}


def band(name: str, charge: dict[str, Any], **more: object) -> dict[str, Any]:
    return {"id": name, "name": {"zh": name, "en": name}, "charge": charge, **more}


def hours(first: str, last: str) -> dict[str, Any]:
    return {"from": first, "to": last}


def document(*bands: dict[str, Any], whole: dict[str, Any] | None = None, **schedule: Any) -> Any:
    return {
        "language": "greenbay-tariff/1",
        "name": {"zh": "试", "en": "trial"},
        "currency": "CNY",
        "timezone": "Asia/Shanghai",
        "schedules": [{"id": "all", "bands": list(bands), **schedule}],
        **(whole or {}),
    }


def tariff(*bands: dict[str, Any], whole: dict[str, Any] | None = None, **schedule: Any) -> Tariff:
    return read_tariff(document(*bands, whole=whole, **schedule))


def name(text: str) -> dict[str, str]:
    return {"zh": text, "en": text}


HOURLY = band("all", steps((3600, 500)))


def at(hours_on: float) -> datetime:
    return NINE + timedelta(hours=hours_on)


def quoted(
    rated: Tariff,
    start: float,
    end: float,
    *past: tuple[float, float, int],
    claims: Claims = NO_CLAIMS,
    vehicle: VehicleTraits | None = None,
) -> Quote:
    history = [EarlierStay(at(enter), at(leave), paid) for enter, leave, paid in past]
    return evaluate(rated, Stay(at(start), at(end)), vehicle, history, claims)


def fee(
    rated: Tariff,
    start: float,
    end: float,
    *past: tuple[float, float, int],
    claims: Claims = NO_CLAIMS,
    vehicle: VehicleTraits | None = None,
) -> int:
    quote = quoted(rated, start, end, *past, claims=claims, vehicle=vehicle)
    assert sum(line.minor for line in quote.lines) == quote.total.minor
    return quote.total.minor


def paid(*payments: tuple[float, int]) -> Claims:
    return Claims(payments=tuple(Payment(at(when), minor) for when, minor in payments))
