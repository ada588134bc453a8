"""A gateway that was killed goes on: its orders stand, what it owed is told, refunds arrive."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from city.errors import Invalid
from city.time import WallClock
from payments.gateway.app import Gateway
from payments.gateway.journal import Journal
from payments.gateway.keys import write_keys
from tests.payments.merchants import Alipay, Inbox, UnionPay, Wechat, keys, pay, scan, until

if TYPE_CHECKING:
    from collections.abc import Iterator

NOWHERE = "http://127.0.0.1:9/notify"
ROOT = Path(__file__).resolve().parents[2]


class Killable:
    """A gateway in a process of its own, over one folder; killed and started as often as needed."""

    def __init__(self, folder: Path, *more: str) -> None:
        self._folder, self._more = folder, more
        self._process: subprocess.Popen[str] | None = None
        self.address = ""

    def start(self, port: int = 0) -> str:
        arguments = ["--port", str(port), "--keys", str(self._folder / "keys")]
        arguments += ["--journal", str(self._folder / "journal.db"), *self._more]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "payments", "gateway", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.address = json.loads(self._process.stdout.readline())["address"]
        return self.address

    def kill(self) -> int:
        """Kill it as a power switch would; gives the port, for whoever comes after."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None
        return int(self.address.rpartition(":")[2])

    def close(self) -> None:
        if self._process is not None:
            self.kill()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "keys"
    made.mkdir(mode=0o700)
    write_keys(made, keys())
    return tmp_path


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    taking = Inbox((500, b"not now"), (200, b"success"))
    yield taking
    taking.close()


def open_gateway(folder: Path, speed: float = 200) -> Gateway:
    gateway = Gateway(keys(), speed=speed, journal=Journal(folder / "journal.db", WallClock()))
    gateway.start()
    return gateway


def test_a_killed_gateway_still_knows_what_was_paid_and_tells_it(folder: Path) -> None:
    inbox = Inbox((500, b""))
    killable = Killable(folder, "--speed", "200")
    try:
        merchant = Wechat(killable.start())
        _, opened = merchant.open("journal00001", 1250, inbox.url)
        assert pay(killable.address, opened["code_url"]) == 200
        inbox.wait(1)
        port = killable.kill()
        told_before = len(inbox.received)
        killable.start(port)
        merchant = Wechat(killable.address)
        assert merchant.query("journal00001")[1]["trade_state"] == "SUCCESS"
        received = inbox.wait(told_before + 1)
    finally:
        killable.close()
        inbox.close()
    first = merchant.told(*received[0])
    after = merchant.told(*received[-1])
    assert (first.notification_id, first.event) == (after.notification_id, after.event)


def test_an_unpaid_order_is_payable_by_the_code_that_was_shown_before_the_kill(
    folder: Path,
) -> None:
    gateway = open_gateway(folder)
    _, opened = Wechat(gateway.address).open("journal00002", 300, NOWHERE)
    gateway.stop()
    gateway = open_gateway(folder)
    try:
        assert scan(gateway.address, opened["code_url"])["amount_minor"] == 300
        assert pay(gateway.address, opened["code_url"]) == 200
        assert gateway.desk.figures()["wechat"] == {"paid_orders": 1, "captured_minor": 300}
    finally:
        gateway.stop()


def test_a_refund_that_was_under_way_arrives_once_and_is_told(folder: Path, inbox: Inbox) -> None:
    slow = open_gateway(folder, speed=0.001)
    merchant = Wechat(slow.address)
    _, opened = merchant.open("journal00003", 1000, NOWHERE)
    pay(slow.address, opened["code_url"])
    merchant.refund("journal00003", "journalrefund3", 400, 1000, inbox.url)
    slow.stop()
    gateway = open_gateway(folder)
    journal = gateway.journal
    assert journal is not None
    try:
        received = inbox.wait(2)  # the first answer was 500: told again
        told = merchant.told(*received[-1])
        assert (told.event, told.resource["out_refund_no"]) == ("REFUND.SUCCESS", "journalrefund3")
        # What was taken is owed no longer; what nobody hears is.
        until(lambda: [each.mark.refund_no for each in journal.owed()] == [""])
        assert gateway.desk.figures()["wechat"]["refunded_minor"] == 400
    finally:
        gateway.stop()


def test_everything_of_every_channel_comes_back_as_it_was(folder: Path) -> None:
    gateway = open_gateway(folder)
    Wechat(gateway.address).open("journal00004", 100, NOWHERE)
    alipay = Alipay(gateway.address)
    node = alipay.call(
        "alipay.trade.precreate",
        {"out_trade_no": "journal00005", "total_amount": "2.00", "subject": "停车费"},
    )
    pay(gateway.address, node["qr_code"])
    alipay.call(
        "alipay.trade.refund",
        {"out_trade_no": "journal00005", "out_request_no": "part1", "refund_amount": "0.50"},
    )
    bank = UnionPay(gateway.address)
    answer: Any = bank.call(("01", "07"), orderId="journal00006", txnAmt="300")
    pay(gateway.address, answer["qrCode"])
    before = gateway.desk.book.orders()
    gateway.stop()
    gateway = open_gateway(folder)
    try:
        assert gateway.desk.book.orders() == before
        number = before[-1].channel_no
        found = UnionPay(gateway.address).call(("00", "00"), "queryTrans", orderId="journal00006")
        assert (found["queryId"], found["origRespCode"]) == (number, "00")
    finally:
        gateway.stop()


def test_one_journal_serves_one_gateway_and_no_other_file_is_taken_for_one(folder: Path) -> None:
    first = Journal(folder / "journal.db", WallClock())
    try:
        assert (folder / "journal.db").stat().st_mode & 0o077 == 0
        with pytest.raises(Invalid, match="locked"):
            Journal(folder / "journal.db", WallClock())
    finally:
        first.close()
    (folder / "notes.txt").write_text("no journal " * 100)
    with pytest.raises(Invalid, match="not a database"):
        Journal(folder / "notes.txt", WallClock())
    with pytest.raises(Invalid, match="cannot be opened"):
        Journal(folder / "nowhere" / "journal.db", WallClock())
