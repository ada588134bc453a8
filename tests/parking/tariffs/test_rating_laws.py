"""What holds of every fee, whatever the tariff, the stay and the vehicle's past."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from city.money import Money
from city.time import Interval
from parking.rules.tariffs.document import Name
from parking.rules.tariffs.evaluation import evaluate
from parking.rules.tariffs.model import Claims, Cover, EarlierStay, Payment, Stay
from parking.rules.tariffs.plan import Tariff, read_tariff

if TYPE_CHECKING:
    from pydantic import JsonValue

ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
SCOPES = ("visit", "day", "24h", "stay")
PRICES = st.integers(0, 900)
# whole tariffs take their time to draw on a machine that has other work
SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)


@st.composite
def charges(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["steps", "entry", "tiers", "free"]))
    if kind == "free":
        return {"kind": "free"}
    if kind == "entry":
        return {"kind": "entry", "price_minor": draw(PRICES)}
    ends = sorted(draw(st.sets(st.integers(1, 20), max_size=3)))
    if kind == "tiers":
        prices = sorted(draw(st.lists(PRICES, min_size=len(ends) + 1, max_size=len(ends) + 1)))
        tiers = [{"up_to_s": end * 600, "price_minor": p} for end, p in zip(ends, prices)]  # noqa: B905 - one price more
        return {"kind": "tiers", "tiers": [*tiers, {"price_minor": prices[-1]}]}
    steps: list[dict[str, Any]] = []
    at = 0
    for units in ends:
        unit_s = draw(st.sampled_from([60, 180, 720, 900, 1800]))
        at += unit_s * units
        steps.append({"until_s": at, "unit_s": unit_s, "price_minor": draw(PRICES)})
    steps.append({"unit_s": draw(st.sampled_from([60, 900, 3600])), "price_minor": draw(PRICES)})
    rounding = draw(st.sampled_from(["started", "completed"]))
    return {
        "kind": "steps",
        "rounding": rounding,
        "tolerance_s": draw(st.sampled_from([0, 0, 30, 59])) if rounding == "started" else 0,
        "steps": steps,
    }


@st.composite
def frees(draw: st.DrawFn) -> dict[str, Any] | None:
    if draw(st.booleans()):
        return None
    return {
        "up_to_s": draw(st.integers(1, 40)) * 300,
        "when_exceeded": draw(st.sampled_from(["charged_from_start", "deducted"])),
    }


NAME = {"zh": "名", "en": "name"}
RE_ENTRIES = st.fixed_dictionaries(
    {
        "within_s": st.just(900),
        "effect": st.sampled_from(["continues", "no_free_period"]),
        "time_between": st.sampled_from(["counted", "not_counted"]),
    }
)
DISCOUNTS = st.integers(1, 100).map(lambda percent: {"percent": percent, "name": NAME})
GRACES = st.fixed_dictionaries(
    {"within_s": st.just(900), "overstay": st.sampled_from(["whole_stay", "since_payment"])}
)
ROUNDINGS = st.fixed_dictionaries(
    {"to_minor": st.integers(2, 300), "how": st.sampled_from(["down", "nearest", "up"])}
)
COUPONS = [
    {"id": f"c{place}", "name": NAME, "effect": effect}
    for place, effect in enumerate(
        [
            {"kind": "free_time", "seconds": 5000},
            {"kind": "percent_off", "percent": 33, "at_most_minor": 500},
            {"kind": "amount_off", "minor": 250},
            {"kind": "flat_price", "price_minor": 900},
        ]
    )
]


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a band on some of the dates around the changes of the clocks."""
    return {
        "id": "event",
        "name": NAME,
        "dates": [draw(st.sampled_from(["03-08", "2026-03-28/2026-03-29", "10-04/03-27"]))],
        "from": draw(st.sampled_from(["00:00", "01:30", "18:00"])),
        "to": draw(st.sampled_from(["24:00", "02:30"])),
        "counts": draw(st.sampled_from(SCOPES)),
        "charge": draw(charges()),
    }


@st.composite
def tariffs(draw: st.DrawFn) -> Tariff:
    edges = sorted(draw(st.sets(st.integers(0, 95), min_size=1, max_size=4)))
    bands: list[dict[str, Any]] = []
    for place, (start, end) in enumerate(pairwise([*edges, edges[0]])):
        bands.append(
            {
                "id": f"b{place}",
                "name": {"zh": "时段", "en": "band"},
                "from": f"{start // 4:02d}:{start % 4 * 15:02d}",
                "to": f"{end // 4:02d}:{end % 4 * 15:02d}",
                "counts": draw(st.sampled_from(SCOPES)),
                "charge": draw(charges()),
                "free": draw(frees()),
                "cap_minor": draw(st.none() | st.integers(900, 3000)),
            }
        )
    if draw(st.booleans()):
        bands.insert(0, draw(events()))
    runs_on = draw(st.booleans())
    if runs_on:
        bands = [
            {**each, "free": None, "counts": draw(st.sampled_from(["visit", "stay"]))}
            for each in bands
        ]
    pers = draw(st.lists(st.sampled_from(["day", "24h", "stay", "period"]), unique=True))
    caps = [
        {
            "per": per,
            "minor": draw(st.integers(900, 5000)),
            **({"period_s": draw(st.integers(1, 40)) * 3600} if per == "period" else {}),
            **({"later_minor": draw(st.none() | st.integers(900, 5000))} if per != "stay" else {}),
        }
        for per in pers
    ]
    first = {"per": "day", "minor": draw(st.integers(900, 3000)), "bands": ["b0"]}
    free = draw(frees())
    if free is not None:
        free["once_per"] = draw(st.sampled_from(["stay", "day", "24h"]))
        if free["once_per"] != "stay":
            free["accumulates"] = draw(st.booleans())
    document: Any = {
        "language": "greenbay-tariff/1",
        "name": {"zh": "试", "en": "trial"},
        "currency": "CNY",
        "timezone": draw(st.sampled_from(ZONES)),
        "schedules": [
            {
                "id": "all",
                "free": free,
                "bands": bands,
                "caps": [*([first] if draw(st.booleans()) else []), *caps],
                "re_entry": draw(st.none() | RE_ENTRIES),
                "discount": draw(st.none() | DISCOUNTS),
                "exit_grace": draw(st.none() | GRACES),
            }
        ],
        "coupons": COUPONS,
        "round_total": draw(st.none() | ROUNDINGS),
    }
    return read_tariff(document)


# around the changes of the clocks in spring and autumn of every zone above
ENTRIES = st.sampled_from(
    [datetime(2026, month, day, tzinfo=UTC) for month, day in ((3, 7), (3, 28), (10, 3), (10, 24))]
).flatmap(lambda at: st.integers(0, 3 * 86_400).map(lambda s: at + timedelta(seconds=s)))
LENGTHS = st.integers(0, 4 * 86_400) | st.integers(0, 200).map(lambda n: n * 900)


@st.composite
def pasts(draw: st.DrawFn, enter_at: datetime) -> tuple[EarlierStay, ...]:
    stays = []
    at = enter_at
    for _ in range(draw(st.integers(0, 3))):
        leave_at = at - timedelta(seconds=draw(st.integers(0, 40_000)))
        at = leave_at - timedelta(seconds=draw(st.integers(0, 100_000)))
        stays.append(EarlierStay(at, leave_at, draw(st.integers(0, 4000))))
    return tuple(stays)


@settings(deadline=None, suppress_health_check=SLOW)
@given(st.data(), tariffs(), ENTRIES, LENGTHS)
def test_a_fee_is_never_negative_and_its_lines_sum_to_it(
    data: st.DataObject, tariff: Tariff, enter_at: datetime, length_s: int
) -> None:
    history = data.draw(pasts(enter_at))
    quote = evaluate(tariff, Stay(enter_at, enter_at + timedelta(seconds=length_s)), None, history)
    assert quote.total.minor >= 0
    assert sum(line.minor for line in quote.lines) == quote.total.minor
    for line in quote.lines:
        assert line.from_at <= line.to_at
        assert line.why.text("zh") != line.why.text("en")
    assert bool(quote.lines) == bool(length_s)


@settings(deadline=None, suppress_health_check=SLOW)
@given(st.data(), tariffs(), ENTRIES, LENGTHS, st.integers(0, 100_000))
def test_a_fee_never_falls_as_the_stay_grows(
    data: st.DataObject, tariff: Tariff, enter_at: datetime, length_s: int, more_s: int
) -> None:
    history = data.draw(pasts(enter_at))
    short, long = (
        evaluate(tariff, Stay(enter_at, enter_at + timedelta(seconds=s)), None, history)
        for s in (length_s, length_s + more_s)
    )
    assert short.total <= long.total


@st.composite
def claims_of(draw: st.DrawFn, tariff: Tariff, enter_at: datetime, length_s: int) -> Claims:
    covers = []
    for _ in range(draw(st.integers(0, 2))):
        start_at = enter_at + timedelta(seconds=draw(st.integers(-3600, 86_400)))
        end_at = start_at + timedelta(seconds=draw(st.integers(0, 86_400)))
        covers.append(Cover(Interval(start_at, end_at), Name(zh="证", en="permit")))
    coupons = draw(st.lists(st.sampled_from(tariff.document.coupons), max_size=3))
    payments = [
        Payment(enter_at + timedelta(seconds=after_s), minor)
        for after_s, minor in draw(
            st.lists(st.tuples(st.integers(0, length_s), st.integers(0, 4000)), max_size=3)
        )
    ]
    return Claims(tuple(covers), tuple(coupons), tuple(payments))


@settings(deadline=None, suppress_health_check=SLOW)
@given(st.data(), tariffs(), ENTRIES, LENGTHS, st.integers(0, 100_000))
def test_claims_never_make_a_fee_negative_and_it_never_falls_as_the_stay_grows(
    data: st.DataObject, tariff: Tariff, enter_at: datetime, length_s: int, more_s: int
) -> None:
    history = data.draw(pasts(enter_at))
    claims = data.draw(claims_of(tariff, enter_at, length_s))
    short, long = (
        evaluate(tariff, Stay(enter_at, enter_at + timedelta(seconds=s)), None, history, claims)
        for s in (length_s, length_s + more_s)
    )
    for quote in (short, long):
        assert sum(line.minor for line in quote.lines) == quote.total.minor
        assert quote.total.minor >= 0
    assert short.total <= long.total


@settings(deadline=None, suppress_health_check=SLOW)
@given(st.data(), tariffs(), ENTRIES, LENGTHS)
def test_rights_and_coupons_never_cost_more_than_none(
    data: st.DataObject, tariff: Tariff, enter_at: datetime, length_s: int
) -> None:
    history = data.draw(pasts(enter_at))
    claims = replace(data.draw(claims_of(tariff, enter_at, length_s)), payments=())
    stay = Stay(enter_at, enter_at + timedelta(seconds=length_s))
    with_them = evaluate(tariff, stay, None, history, claims)
    assert with_them.total <= evaluate(tariff, stay, None, history).total


@settings(deadline=None, suppress_health_check=SLOW)
@given(tariffs(), ENTRIES, LENGTHS, st.integers(0, 86_400), st.integers(0, 86_400))
def test_time_that_nobody_observed_never_costs_more(
    tariff: Tariff, enter_at: datetime, length_s: int, from_s: int, gap_s: int
) -> None:
    leave_at = enter_at + timedelta(seconds=length_s)
    gap_at = enter_at + timedelta(seconds=from_s)
    gap = Interval(gap_at, gap_at + timedelta(seconds=gap_s))
    whole = evaluate(tariff, Stay(enter_at, leave_at))
    parted = evaluate(tariff, Stay(enter_at, leave_at, (gap,)))
    assert Money.zero("CNY") <= parted.total <= whole.total


def by_the_minute(zone: str, bands: list[tuple[int, int]], start: int, end: int) -> int:
    """Rate a per-minute tariff of two bands by looking at the wall clock of every minute."""
    total = 0
    for second in range(start, end, 60):
        at = datetime.fromtimestamp(second, ZoneInfo(zone))
        minute = at.hour * 60 + at.minute
        total += next(price for until, price in bands if minute < until)
    return total


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(ZONES), ENTRIES, st.integers(1, 3000), st.integers(1, 95))
def test_a_minute_price_follows_the_wall_clock_through_every_change_of_it(
    zone: str, enter_at: datetime, minutes: int, quarter: int
) -> None:
    enter_at = enter_at.replace(second=0)
    edge = f"{quarter // 4:02d}:{quarter % 4 * 15:02d}"
    bands: list[JsonValue] = [
        {
            "id": f"b{price}",
            "name": {"zh": "时段", "en": "band"},
            "from": start,
            "to": end,
            "charge": {
                "kind": "steps",
                "rounding": "started",
                "steps": [{"unit_s": 60, "price_minor": price}],
            },
        }
        for start, end, price in (("00:00", edge, 3), (edge, "24:00", 7))
    ]
    tariff = read_tariff(
        {
            "language": "greenbay-tariff/1",
            "name": {"zh": "试", "en": "trial"},
            "currency": "EUR",
            "timezone": zone,
            "schedules": [{"id": "all", "bands": bands}],
        }
    )
    start = int(enter_at.timestamp())
    quote = evaluate(tariff, Stay(enter_at, enter_at + timedelta(minutes=minutes)))
    assert quote.total.minor == by_the_minute(
        zone, [(quarter * 15, 3), (1440, 7)], start, start + minutes * 60
    )
