"""``reconcile``: a channel's bill against our own record, every difference classified."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Final

from pydantic import JsonValue

from city.command_line import CommandLine
from city.errors import Invalid
from city.money import Money
from city.time import parse_rfc3339
from city.works.command_database import command_database
from payments import channel_records
from payments.rules.channel_bills.lines import CHINA, CURRENCY, Bill, LineKind, totals
from payments.rules.channel_bills.reading import day_of, read_bill
from payments.rules.channel_registry import TRAITS
from payments.rules.channels import Channel
from payments.rules.differences import Record, Standing, shown
from payments.rules.pos.naming import named_by_us
from payments.rules.reconciliation import Reconciliation, reconcile

SUMMARY: Final = "hold a channel's bill against our own record and classify every difference"

_EXAMPLE: Final = (
    "python -m payments reconcile --channel wechat --bill 2026-03-02.csv.gz --date 2026-03-02"
)
BILLED: Final = [each.value for each in Channel if TRAITS[each].bill_after_days is not None]
_MOST_BYTES: Final = 1024 * 1024 * 1024


def run(arguments: Sequence[str]) -> int:
    """Print the report; 0 whether or not there are differences, 2 where the bill is unusable."""
    line = CommandLine("payments", "reconcile", SUMMARY, _EXAMPLE)
    line.add_argument("--channel", required=True, choices=BILLED)
    line.add_argument(
        "--bill", required=True, type=Path, metavar="FILE", help="as the channel gave it"
    )
    line.add_argument(
        "--date", metavar="D", help="China's day, YYYY-MM-DD; default: that of most of its rows"
    )
    line.add_argument(
        "--ours",
        type=Path,
        metavar="FILE",
        help="our record as JSON, one payment or refund a line; default: this installation's",
    )
    given = line.parse_args(arguments)
    channel = Channel(given.channel)
    stated = None if given.date is None else _day(given.date)
    content = _content(given.bill, "--bill")
    try:
        bill = read_bill(channel, content, stated)
    except Invalid as error:
        raise Invalid(f"{given.bill}: {error.message}", field="--bill") from None
    day = stated or day_of(bill, "--date")
    ours = list(_ours(given.ours, channel, day))
    if not TRAITS[channel].knows_our_numbers:
        bill = named_by_us(bill, ours)
    line.answer(report(channel, bill, ours, reconcile(ours, bill, day)))
    return 0


def report(
    channel: Channel, bill: Bill, ours: Sequence[Record], found: Reconciliation
) -> dict[str, object]:
    """Write what came of a reconciliation as the command prints it."""
    sums = totals(bill.lines)
    done = [record for record in ours if record.standing is Standing.DONE]
    of_day = [record for record in done if record.at.astimezone(CHINA).date() == found.day]
    counts = Counter(each.kind.value for each in found.differences)
    return {
        "channel": channel.value,
        "date": found.day.isoformat(),
        "bill": {
            "rows": sums.rows,
            "paid_minor": sums.paid_minor,
            "refunded_minor": sums.refunded_minor,
            "complete": bill.complete,
        },
        "ours": {
            "rows": len(of_day),
            "paid_minor": _sum(of_day, paid=True),
            "refunded_minor": _sum(of_day, paid=False),
        },
        "matched": found.matched,
        "agreed": found.agreed,
        "by_class": dict(sorted(counts.items())),
        "differences": [shown(each) for each in found.differences],
        "quarantined": [{"line": each.number, "reason": each.reason} for each in bill.rejected],
    }


def read_ours(lines: Iterable[bytes]) -> Iterator[Record]:
    """Read our record from JSON lines.

    Raises
    ------
    Invalid
        Naming the line and the member that is wrong: our own record is never guessed.
    """
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            raise Invalid(f"line {number} is not JSON", field="--ours") from None
        if not isinstance(value, dict):
            raise Invalid(f"line {number} is not an object", field="--ours")
        try:
            yield _record(value)
        except Invalid as error:
            raise Invalid(f"line {number}: {error}", field="--ours") from None


def _ours(path: Path | None, channel: Channel, day: date) -> Iterator[Record]:
    if path is not None:
        yield from read_ours(_content(path, "--ours").splitlines())
        return
    # The days beside it too: what the channel counts to another day is found there.
    start_at = datetime.combine(day, time(), CHINA) - timedelta(days=1)
    with command_database() as database, database.read() as connection:
        yield from channel_records.records(
            connection, channel, start_at, start_at + timedelta(days=3)
        )


def _content(path: Path, field: str) -> bytes:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise Invalid(f"{path}: is larger than 1 GiB", field=field)
        return path.read_bytes()
    except OSError as error:
        raise Invalid(f"{path}: {error.strerror or error}", field=field) from None


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
        # The days beside it are read too.
        return date.fromordinal((day + timedelta(days=2)).toordinal() - 2)
    except (ValueError, OverflowError):
        raise Invalid("must be a day, YYYY-MM-DD", field="--date") from None


def _record(value: dict[str, JsonValue]) -> Record:
    def text(name: str, default: str | None = None) -> str:
        found = value.get(name, default)
        if not isinstance(found, str) or (default is None and not found):
            raise Invalid("must be a text", field=name)
        return found

    try:
        kind, standing = LineKind(text("kind", "payment")), Standing(text("standing", "done"))
    except ValueError as error:
        raise Invalid(str(error)) from None
    amount, fee = Money.from_json(value.get("amount")), value.get("fee")
    if amount.minor < 0:
        raise Invalid("is below zero", field="amount")
    return Record(
        kind=kind,
        order_no=text("order_no"),
        amount=amount,
        at=parse_rfc3339(text("at"), "at"),
        merchant=text("merchant", ""),
        standing=standing,
        channel_no=text("channel_no", ""),
        refund_no=text("refund_no", ""),
        fee=None if fee is None else Money.from_json(fee, "fee"),
    )


def _sum(records: Iterable[Record], *, paid: bool) -> int:
    return sum(
        record.amount.minor
        for record in records
        if (record.kind is LineKind.PAYMENT) is paid and record.amount.currency == CURRENCY
    )
