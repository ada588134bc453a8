"""A bill is held against our record: what differs is found, and nothing else."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from city.command_line import run_room
from city.errors import Invalid
from city.identifiers import BillId, uuid7
from city.money import Money
from payments import channel_orders, channel_records, channel_refunds, commands
from payments.commands.reconcile import read_ours
from payments.rules.booking import book_surplus, book_surplus_refund
from payments.rules.channel_bills import alipay, unionpay, wechat
from payments.rules.channel_bills.lines import (
    Bill,
    BillLine,
    LineKind,
    LineStatus,
    RejectedLine,
    totals,
)
from payments.rules.channel_orders import ChannelOrder, ChannelRefund, OrderState, RefundState
from payments.rules.channels import Channel, Method, fee_back_of, fee_of
from payments.rules.differences import DifferenceKind, Proposal, Record, Standing, effect_minor
from payments.rules.reconciliation import reconcile
from payments.store import ledger

if TYPE_CHECKING:
    from pathlib import Path

    from city.works.database import Database

DAY = date(2026, 3, 2)
NOON_AT = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
MERCHANT = "1900009999"
Kinds = DifferenceKind
Pair = tuple[Record | None, list[BillLine]]


def cny(minor: int) -> Money:
    return Money(minor, "CNY")


def payment(number: int, minor: int = 1000) -> tuple[Record, BillLine]:
    """Give one payment as both sides have it."""
    fee, at = cny(fee_of(minor)), NOON_AT + timedelta(seconds=number)
    order_no, channel_no = f"ORDER{number:04}", f"42000{number:04}"
    return (
        Record(
            LineKind.PAYMENT, order_no, cny(minor), at, MERCHANT, channel_no=channel_no, fee=fee
        ),
        BillLine(LineKind.PAYMENT, order_no, channel_no, cny(minor), fee, at, MERCHANT),
    )


def refund(number: int, minor: int = 400, *, void: bool = False) -> tuple[Record, BillLine]:
    """Give one refund as both sides have it."""
    ours, theirs = payment(number, minor)
    kind, refund_no = (LineKind.VOID if void else LineKind.REFUND), f"BACK{number:04}"
    return (
        replace(ours, kind=kind, refund_no=refund_no, fee=cny(-fee_of(minor))),
        replace(
            theirs,
            kind=kind,
            refund_no=refund_no,
            channel_refund_no=f"503{number:04}",
            fee=cny(-fee_of(minor)),
        ),
    )


def bill(lines: list[BillLine], *rejected: RejectedLine) -> Bill:
    return Bill(tuple(lines), rejected, totals(lines))


# --- one thing at a time ------------------------------------------------------------------------


def test_a_pair_is_told_of_in_every_class_in_which_it_differs() -> None:
    ours, theirs = payment(1)
    worse = replace(
        theirs, amount=cny(999), merchant="2", status=LineStatus.PROCESSING, fee=cny(99)
    )
    found = reconcile([ours], bill([worse]), DAY)
    assert [each.kind for each in found.differences] == [Kinds.STATUS, Kinds.AMOUNT, Kinds.MERCHANT]
    assert (found.matched, found.agreed) == (1, 0)


def test_what_is_not_settled_and_not_in_the_bill_is_no_difference() -> None:
    records = [
        replace(payment(1)[0], standing=Standing.OPEN),
        replace(payment(2)[0], standing=Standing.FAILED),
        replace(payment(3)[0], at=NOON_AT - timedelta(days=1)),
    ]
    assert reconcile(records, bill([]), DAY).differences == ()


def test_what_a_broken_bill_does_not_show_is_not_certain() -> None:
    ours, _ = payment(1)
    found = reconcile([ours], bill([], RejectedLine(2, "is not UTF-8")), DAY).differences
    assert [(each.kind, each.certain, each.proposal) for each in found] == [
        (Kinds.OURS_ONLY, False, Proposal.FETCH_AGAIN)
    ]


def test_a_payment_close_to_midnight_is_awaited_in_the_next_bill() -> None:
    late = replace(payment(1)[0], at=datetime(2026, 3, 2, 15, 55, tzinfo=UTC))
    early = replace(payment(2)[0], at=datetime(2026, 3, 2, 15, 45, tzinfo=UTC))
    found = reconcile([late, early], bill([]), DAY).differences
    assert [each.proposal for each in found] == [
        Proposal.AWAIT_NEXT_BILL,
        Proposal.QUERY_THEN_REVERSE,
    ]


def test_sums_that_are_not_those_of_the_rows_are_a_difference_of_the_bill() -> None:
    ours, theirs = payment(1)
    stated = replace(totals([theirs]), paid_minor=999)
    found = reconcile([ours], Bill((theirs,), (), stated), DAY).differences
    assert [(each.kind, each.proposal) for each in found] == [(Kinds.TOTALS, Proposal.CLAIM_ROW)]


def test_one_of_ours_written_twice_is_a_duplicate() -> None:
    ours, theirs = payment(1)
    found = reconcile([ours, replace(ours)], bill([theirs]), DAY).differences
    assert [(each.kind, each.proposal) for each in found] == [(Kinds.DUPLICATE, Proposal.DROP_OURS)]


def test_a_void_that_the_bill_writes_as_a_refund_of_another_number_is_the_same() -> None:
    ours, theirs = refund(1, void=True)
    written = replace(theirs, kind=LineKind.REFUND, refund_no="VORDER0001")
    assert reconcile([ours], bill([written]), DAY).differences == ()
    other = replace(written, amount=cny(399))
    kinds = [each.kind for each in reconcile([ours], bill([other]), DAY).differences]
    assert kinds == [Kinds.REFUND_THEIRS_ONLY, Kinds.REFUND_OURS_ONLY]


@settings(max_examples=60)
@given(st.integers(1, 1_000_000), st.lists(st.integers(1, 400_000), max_size=6))
def test_the_fee_that_goes_back_with_refunds_adds_up_to_the_fee(
    minor: int, parts: list[int]
) -> None:
    left, back = minor, 0
    for part in [min(part, minor) for part in parts]:
        taken = min(part, left)
        back += fee_back_of(left, taken)
        left -= taken
    assert back + fee_back_of(left, left) == fee_of(minor)


# --- the command ---------------------------------------------------------------------------------


def files(tmp_path: Path) -> dict[str, Path]:
    """Write the same payment and refund as each channel's bill."""
    lines = [payment(1)[1], replace(refund(1)[1], at=NOON_AT + timedelta(hours=1))]
    found = {
        "wechat": gzip.compress(wechat.write_trade(lines, "wx1")),
        "alipay": alipay.write_trade(lines, MERCHANT, DAY),
        "unionpay": unionpay.write_trade(lines, MERCHANT, DAY),
    }
    for name, content in found.items():
        (tmp_path / name).write_bytes(content)
    return {name: tmp_path / name for name in found}


def written(tmp_path: Path, *records: Record) -> str:
    """Write our record as JSON lines."""
    rows = [
        {
            "kind": each.kind.value,
            "order_no": each.order_no,
            "refund_no": each.refund_no,
            "channel_no": each.channel_no,
            "amount": each.amount.as_json(),
            "fee": None if each.fee is None else each.fee.as_json(),
            "at": each.at.isoformat(),
            "merchant": each.merchant,
            "standing": each.standing.value,
        }
        for each in records
    ]
    path = tmp_path / "ours.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


@pytest.mark.parametrize("channel", ["wechat", "alipay", "unionpay"])
def test_the_command_classifies_each_difference_and_succeeds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], channel: str
) -> None:
    back = replace(refund(1)[0], at=NOON_AT + timedelta(hours=1))
    ours = written(tmp_path, replace(payment(1)[0], amount=cny(999)), back, payment(2)[0])
    bill_file = str(files(tmp_path)[channel])
    arguments = ["reconcile", "--channel", channel, "--bill", bill_file, "--ours", ours]
    assert run_room(commands, arguments) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["date"] == "2026-03-02"
    assert report["bill"] == {
        "rows": 2, "paid_minor": 1000, "refunded_minor": 400, "complete": True
    }  # fmt: skip
    assert report["by_class"] == {"amount": 1, "ours-only": 1}
    assert (report["matched"], report["agreed"], report["quarantined"]) == (2, 1, [])
    first = report["differences"][0]
    assert (first["ours"]["amount"]["minor"], first["theirs"]["amount"]["minor"]) == (999, 1000)


def test_a_broken_row_is_quarantined_with_its_line_and_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = wechat.write_trade([payment(1)[1], payment(2)[1]], "wx1")
    path = tmp_path / "bill.csv"
    path.write_bytes(content.replace(b"`2026-03-02 12:00:02", b"`2026-03-02 12:00:62"))
    ours = written(tmp_path, payment(1)[0], payment(2)[0])
    run_room(commands, ["reconcile", "--channel", "wechat", "--bill", str(path), "--ours", ours])
    report = json.loads(capsys.readouterr().out)
    assert report["quarantined"] == [{"line": 3, "reason": "交易时间: is not a time"}]
    assert report["bill"]["complete"] is False
    uncertain = [each["class"] for each in report["differences"] if not each["certain"]]
    assert uncertain == ["ours-only"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--channel", "cash", "--bill", "x"], "--channel"),
        (["--channel", "wechat", "--bill", "none.csv"], "none.csv"),
        (["--channel", "wechat", "--bill", "{zip}"], "columns of a trade bill"),
        (["--channel", "alipay", "--bill", "{csv}"], "not a zip"),
        (["--channel", "wechat", "--bill", "{csv}", "--date", "yesterday"], "--date"),
        (["--channel", "wechat", "--bill", "{csv}", "--date", "9999-12-31"], "--date"),
        (["--channel", "wechat", "--bill", "{csv}", "--ours", "{csv}"], "line 1"),
        (["--channel", "wechat", "--bill", "{empty}"], "--date"),
    ],
)
def test_unusable_input_is_one_line_and_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], named: str
) -> None:
    kept = files(tmp_path)
    (tmp_path / "empty").write_bytes(wechat.write_trade([], "wx1"))
    (tmp_path / "csv").write_bytes(wechat.write_trade([payment(1)[1]], "wx1"))
    places = {"zip": str(kept["alipay"]), "csv": f"{tmp_path}/csv", "empty": f"{tmp_path}/empty"}
    try:
        status = run_room(commands, ["reconcile", *(each.format(**places) for each in arguments)])
    except SystemExit as left:
        status = int(str(left.code))
    told = capsys.readouterr()
    assert (status, told.out, told.err.count("\n")) == (2, "", 1)
    assert named in told.err


@pytest.mark.parametrize(
    "row",
    [
        b"[]",
        b"{",
        b'{"order_no":"A"}',
        b'{"order_no":"A","amount":{"minor":-1,"currency":"CNY"},"at":"2026-03-02T00:00:00Z"}',
        b'{"order_no":"A","amount":{"minor":1,"currency":"CNY"},"at":"2026-03-02"}',
        b'{"order_no":"A","amount":{"minor":1,"currency":"CNY"},"standing":"maybe"}',
        b'{"order_no":"A","amount":{"minor":1.5,"currency":"CNY"}}',
    ],
)
def test_a_row_of_ours_that_is_not_of_the_form_is_refused_by_its_line(row: bytes) -> None:
    with pytest.raises(Invalid, match="line 2"):
        list(read_ours([b"\n", row]))


def test_what_the_database_holds_is_read_as_both_sides_of_midnight_see_it(
    database: Database,
) -> None:
    def held(number: str, state: OrderState, at: datetime) -> ChannelOrder:
        final = state in {OrderState.PAID, OrderState.CLOSED}
        return ChannelOrder(
            id=uuid7(),
            bill_id=BillId(uuid7()),
            channel=Channel.WECHAT,
            order_no=number,
            merchant=MERCHANT,
            method=Method.CODE,
            amount=cny(1000),
            state=state,
            opened_at=at - timedelta(minutes=1),
            opened_by="test",
            expires_at=at + timedelta(hours=1),
            channel_no=f"42{number}" if state is OrderState.PAID else "",
            done_at=at if final else None,
            refunded_minor=400 if number == "ORDER0001" else 0,
        )

    paid = held("ORDER0001", OrderState.PAID, NOON_AT)
    back = ChannelRefund(
        id=uuid7(),
        order_id=paid.id,
        refund_no="BACK0001",
        amount=cny(400),
        fee=cny(2),
        void=False,
        state=RefundState.DONE,
        asked_at=NOON_AT + timedelta(hours=1),
        asked_by="test",
        reason="asked",
        done_at=NOON_AT + timedelta(hours=2),
    )
    with database.unit_of_work() as uow:
        earlier = held("ORDER0004", OrderState.PAID, NOON_AT - timedelta(days=2))
        for order in (
            paid,
            held("ORDER0002", OrderState.UNKNOWN, NOON_AT),
            held("ORDER0003", OrderState.CLOSED, NOON_AT),
            earlier,
        ):
            channel_orders.add_order(uow.connection, order)
        channel_refunds.add(uow.connection, back)
        # Of bills that are not ours: what was paid for them is owed back.
        surplus = [book_surplus(each, NOON_AT) for each in (paid, earlier)]
        ledger.add_entries(
            uow.connection, [*surplus, book_surplus_refund(back, paid, back.done_at or NOON_AT)]
        )
    midnight = datetime(2026, 3, 1, 16, tzinfo=UTC)
    with database.read() as connection:
        found = list(
            channel_records.records(
                connection, Channel.WECHAT, midnight, midnight + timedelta(days=1)
            )
        )
        none = list(
            channel_records.records(
                connection, Channel.ALIPAY, midnight, midnight + timedelta(days=1)
            )
        )
    assert none == []
    assert sorted(
        (each.kind.value, each.order_no, each.standing.value, each.fee and each.fee.minor)
        for each in found
    ) == [
        ("payment", "ORDER0001", "done", 6),
        ("payment", "ORDER0002", "open", 6),
        ("payment", "ORDER0003", "failed", 6),
        ("refund", "ORDER0001", "done", -2),
    ]


def test_a_row_that_stands_twice_as_one_and_the_same_is_a_duplicate_all_the_same() -> None:
    ours, theirs = payment(1)
    found = reconcile([ours, ours], bill([theirs, theirs]), DAY).differences
    assert [each.kind for each in found] == [Kinds.DUPLICATE, Kinds.DUPLICATE]
    assert [effect_minor(each) for each in found] == [0, -1000]
