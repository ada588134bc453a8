"""``quote``: what a stay costs under a tariff, explained line by line."""

import json
from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import JsonValue

from city.errors import Invalid
from city.time import Interval
from city.vehicles import Energy, PlateKind, VehicleClass
from parking.commands import CommandLine
from parking.rules.tariffs.cards import card_of, coupons_of, covers_of
from parking.rules.tariffs.document import Name
from parking.rules.tariffs.evaluation import evaluate
from parking.rules.tariffs.local_time import parse_local
from parking.rules.tariffs.model import (
    Claims,
    Cover,
    EarlierStay,
    Payment,
    Quote,
    Stay,
    VehicleTraits,
)
from parking.rules.tariffs.plan import Tariff, read_tariff

SUMMARY = "rate a stay under a tariff file"
_MOST_DIGITS = 15
_MOST_BYTES = 4 * 1024 * 1024


def _line() -> CommandLine:
    line = CommandLine(
        "quote",
        "Rate a stay: the total in minor units and the lines that add up to it.",
        "python -m parking quote --tariff tariff.json"
        " --enter 2026-03-02T09:00 --leave 2026-03-02T12:00",
    )
    line.add_argument("--tariff", required=True, type=Path, metavar="FILE", help="docs/tariff.md")
    line.add_argument("--enter", required=True, metavar="ISO", help="a local time, or with offset")
    line.add_argument("--leave", required=True, metavar="ISO")
    line.add_argument(
        "--history",
        type=Path,
        metavar="FILE",
        help='earlier stays of the vehicle: {"stays":[{"enter","leave","paid_minor"}]}',
    )
    line.add_argument(
        "--vehicle",
        default=VehicleClass.SMALL,
        choices=[kind.value for kind in VehicleClass],
    )
    line.add_argument("--energy", choices=[kind.value for kind in Energy])
    line.add_argument("--plate-kind", choices=[kind.value for kind in PlateKind])
    line.add_argument(
        "--exempt",
        metavar="CLASS",
        help="a class that was proven: of an exemption of the tariff, or of a schedule",
    )
    line.add_argument(
        "--coupon", action="append", default=[], metavar="ID", help="a coupon of the tariff"
    )
    line.add_argument(
        "--card", action="append", default=[], metavar="ID", help="a card of the tariff, valid"
    )
    line.add_argument(
        "--covered",
        action="append",
        default=[],
        metavar="FROM/TO",
        help="a part of the stay that a right of the vehicle covers",
    )
    line.add_argument(
        "--paid",
        action="append",
        default=[],
        metavar="AT=MINOR",
        help="a payment during the stay, such as 2026-03-02T11:00=1000",
    )
    line.add_argument(
        "--timezone",
        metavar="ZONE",
        help="IANA zone of the times and the tariff; default: the tariff's own",
    )
    line.add_argument("--language", default="en", choices=["en", "zh"], help="of the reasons")
    return line


def _file(path: Path, field: str) -> JsonValue:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise Invalid(f"is larger than {_MOST_BYTES} bytes", field=field)
        value: JsonValue = json.loads(path.read_bytes())
    except OSError as error:
        raise Invalid(f"cannot be read: {error.strerror}", field=field) from None
    except (ValueError, RecursionError):
        raise Invalid("is not JSON", field=field) from None
    return value


def _history(value: JsonValue, zone: str) -> tuple[EarlierStay, ...]:
    stays = value.get("stays") if isinstance(value, dict) else None
    if not isinstance(stays, list):
        raise Invalid('must be an object with a list "stays"', field="--history")
    return tuple(_earlier(stay, zone, f"--history stays[{i}]") for i, stay in enumerate(stays))


def _earlier(value: JsonValue, zone: str, path: str) -> EarlierStay:
    members = value if isinstance(value, dict) else {}
    enter, leave, paid = (members.get(name) for name in ("enter", "leave", "paid_minor"))
    if not isinstance(enter, str) or not isinstance(leave, str):
        raise Invalid("must carry enter and leave", field=path)
    if not isinstance(paid, int) or isinstance(paid, bool):
        raise Invalid("must be a whole number", field=f"{path}.paid_minor")
    enter_at = parse_local(enter, zone, f"{path}.enter")
    leave_at = parse_local(leave, zone, f"{path}.leave")
    try:
        return EarlierStay(enter_at, leave_at, paid)
    except Invalid as error:
        raise Invalid(error.message, field=f"{path}.{error.field}") from None


def _covered(text: str, zone: str) -> Cover:
    first, slash, last = text.partition("/")
    if not slash:
        raise Invalid("is not FROM/TO", field="covered")
    start_at, end_at = parse_local(first, zone, "covered"), parse_local(last, zone, "covered")
    if end_at < start_at:
        raise Invalid("ends before it begins", field="covered")
    during = Interval(start_at, end_at)
    return Cover(during, Name(zh="已有停车权益", en="a right of the vehicle"))


def _of_cards(
    tariff: Tariff, names: Sequence[str], vehicle: VehicleTraits, stay: Stay
) -> tuple[Cover, ...]:
    cards = [card_of(tariff, name, vehicle) for name in names]
    return tuple(cover for card in cards for cover in covers_of(tariff, card, stay))


def _paid(text: str, zone: str) -> Payment:
    at, equals, minor = text.rpartition("=")
    if not equals or not minor.isascii() or not minor.isdigit() or len(minor) > _MOST_DIGITS:
        raise Invalid("is not AT=MINOR, such as 2026-03-02T11:00=1000", field="paid")
    return Payment(parse_local(at, zone, "paid"), int(minor))


def _quoted(arguments: Sequence[str], line: CommandLine) -> tuple[Quote, str]:
    given = line.parse_args(arguments)
    if given.timezone is not None:
        try:
            ZoneInfo(given.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise Invalid("is not an IANA time zone", field="--timezone") from None
    try:
        tariff = read_tariff(_file(given.tariff, "--tariff"), given.timezone)
    except Invalid as error:
        shown = error.field or ""
        where = shown if shown.startswith("--") else f"--tariff {shown}"
        raise Invalid(error.message, field=where) from None
    zone = tariff.timezone
    enter_at = parse_local(given.enter, zone, "--enter")
    leave_at = parse_local(given.leave, zone, "--leave")
    history = () if given.history is None else _history(_file(given.history, "--history"), zone)
    vehicle = VehicleTraits(
        vehicle_class=VehicleClass(given.vehicle),
        energy=None if given.energy is None else Energy(given.energy),
        plate_kind=None if given.plate_kind is None else PlateKind(given.plate_kind),
        exemption=given.exempt,
    )
    try:
        stay = Stay(enter_at, leave_at)
        claims = Claims(
            (
                *(_covered(text, zone) for text in given.covered),
                *_of_cards(tariff, given.card, vehicle, stay),
            ),
            coupons_of(tariff, given.coupon),
            tuple(_paid(text, zone) for text in given.paid),
        )
        quote = evaluate(tariff, stay, vehicle, history, claims)
    except Invalid as error:
        prefix = "--history " if (error.field or "").startswith("stays[") else "--"
        raise Invalid(error.message, field=f"{prefix}{error.field}") from None
    return quote, given.language


def run(arguments: Sequence[str]) -> int:
    """Print the quote; 2 where an argument or a file is unusable."""
    line = _line()
    try:
        quote, language = _quoted(arguments, line)
    except Invalid as error:
        line.error(str(error))
    line.answer(quote.as_json(language))
    return 0
