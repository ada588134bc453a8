"""The door for channels' notifications before gunicorn's threads, in a gunicorn of its own."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from random import Random
from typing import TYPE_CHECKING

import pytest
from gunicorn.config import Config  # type: ignore[import-untyped] # gunicorn ships no types
from gunicorn.http import RequestParser  # type: ignore[import-untyped] # as above
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from city.identifiers import (
    DistrictCode,
    FacilityId,
    OperatorId,
    ParkingSessionId,
    TariffVersionId,
    VehicleId,
    uuid7,
)
from city.money import Money
from city.time import WallClock
from city.works.database import Database
from journeys.settle_notices import settle_waiting
from payments import channel_payments, services
from payments.adapters.accounts import read_channels
from payments.gateway.app import Gateway
from payments.gateway.notifier import Damage
from payments.gateway.orders import Terms
from payments.rules.bills import Charge
from payments.rules.channels import Channel, Method
from tests.faults.installation import ROOT, free_port
from tests.payments.merchants import keys
from tests.waiting import eventually
from web.notice_door import read_head

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Sent = tuple[dict[str, str], bytes]
PATH = "/api/v1/channel-notices/wechat"


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    made = Gateway(keys())
    yield made
    made.stop()


@pytest.fixture
def port(gateway: Gateway, database_url: str, tmp_path: Path) -> Iterator[int]:
    document = tmp_path / "channels.json"
    document.write_text(json.dumps(gateway.desk.keys.client_document(gateway.address)))
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--config", "python:tests.web.door_site"],
        cwd=ROOT,
        env={
            **os.environ,
            "DOOR_BIND": f"127.0.0.1:{port}",
            "DOOR_DATABASE": database_url,
            "DOOR_CHANNELS": str(document),
        },
    )

    def answers() -> bool:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as line:
            try:
                line.request("GET", "/")
                return line.getresponse().read() == b"GET / 0"
            except OSError:
                return False

    try:
        assert eventually(answers, 60)
        yield port
    finally:
        process.terminate()
        assert process.wait(60) == 0


def paid(gateway: Gateway, database: Database, *, wrong_amount: bool = False) -> Sent:
    """Give what WeChat Pay would send about an order that was just paid."""
    charge = Charge(
        session_id=ParkingSessionId(uuid7()),
        vehicle_id=VehicleId(uuid7()),
        facility_id=FacilityId(uuid7()),
        district=DistrictCode("0153"),
        operator_id=OperatorId(uuid7()),
        revenue_nature="public_non_tax",
        tariff_version_id=TariffVersionId(uuid7()),
        amount=Money(1250, "CNY"),
        lines=({"minor": 1250, "units": 1},),
    )
    document = gateway.desk.keys.client_document(gateway.address)
    merchant = read_channels(document, "http://127.0.0.1:1", WallClock())[Channel.WECHAT].merchant
    with database.unit_of_work() as uow:
        bill = services.issue_bill(uow, charge, "test")
        order = channel_payments.ask_order(
            uow, bill.id, Channel.WECHAT, merchant, Method.CODE, "test"
        )
    book, now = gateway.desk.book, gateway.desk.now()
    book.open(
        Channel.WECHAT,
        order.order_no,
        Terms(1250, "停车费", "NATIVE"),
        at=now,
        merchant=merchant,
        notify_url="http://127.0.0.1:1/",
        key=order.order_no,
    )
    done, _ = book.pay(Channel.WECHAT, order.order_no, "payer", now)
    return gateway.desk.channels[Channel.WECHAT].paid(done).write(Damage(amount=wrong_amount))


def post(line: http.client.HTTPConnection, sent: Sent, path: str = PATH) -> tuple[int, bytes]:
    headers, body = sent
    line.request("POST", path, body, headers)
    answer = line.getresponse()
    return answer.status, answer.read()


def verdicts(database: Database) -> dict[str, int]:
    with database.read() as connection:
        rows = connection.execute(
            text("select verdict, count(*) from payments.channel_notice group by 1")
        )
        return {row[0]: row[1] for row in rows}


def test_the_door_takes_notifications_and_the_application_everything_else(
    gateway: Gateway, port: int, database_url: str
) -> None:
    with (
        closing(Database(database_url, clock=WallClock(), pool_size=2)) as database,
        closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as line,
    ):
        true = paid(gateway, database)
        assert post(line, true) == (204, b"")
        assert verdicts(database) == {"waiting": 1}
        assert settle_waiting(database) == 1
        # On the same connection, kept open: again, and others' requests between.
        assert post(line, true) == (204, b"")
        line.request("GET", "/api/v1/bills")
        assert line.getresponse().read() == b"GET /api/v1/bills 0"
        other = b"POST /api/v1/channel-notices/nobody %d" % len(true[1])
        assert post(line, true, "/api/v1/channel-notices/nobody") == (200, other)
        assert post(line, paid(gateway, database)) == (204, b"")
        # What is not plainly a notification: in chunks, too large.
        headers, body = true
        line.request("POST", PATH, iter([body]), headers, encode_chunked=True)
        assert line.getresponse().read() == b"POST %s %d" % (PATH.encode(), len(body))
        large = b"x" * 70_000
        assert post(line, (headers, large)) == (200, b"POST %s 70000" % PATH.encode())
        assert post(line, paid(gateway, database)) == (204, b"")
        assert verdicts(database) == {"taken": 1, "waiting": 2}


def test_a_crowd_at_the_door_is_answered_each_by_its_own(
    gateway: Gateway, database: Database, port: int
) -> None:
    good = [paid(gateway, database) for _ in range(10)]
    altered = [paid(gateway, database, wrong_amount=True) for _ in range(3)]
    forged = [(headers, body + b" ") for headers, body in good[:4]]
    large: Sent = ({}, b"x" * 70_000)
    # Each good one comes three times, among the others, over connections that go on.
    crowd = [(each, 204) for each in good * 3] + [(each, 500) for each in altered + forged]
    crowd += [(large, 200)] * 3
    Random(7).shuffle(crowd)  # noqa: S311 - an order that can be had again

    def say(part: list[tuple[Sent, int]]) -> list[tuple[int, int]]:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as line:
            return [(post(line, sent)[0], expected) for sent, expected in part]

    with ThreadPoolExecutor(8) as threads:
        parts = [crowd[number::8] for number in range(8)]
        answers = [each for part in threads.map(say, parts) for each in part]
    assert len(answers) == 40
    assert [given for given, _ in answers] == [expected for _, expected in answers]
    assert verdicts(database) == {"waiting": 10, "refused": 3}
    assert settle_waiting(database) == 10
    assert verdicts(database) == {"taken": 10, "refused": 3}


def test_what_is_not_believed_at_the_door_is_refused_and_on_record(
    gateway: Gateway, port: int, database_url: str
) -> None:
    with (
        closing(Database(database_url, clock=WallClock(), pool_size=2)) as database,
        closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as line,
    ):
        headers, body = paid(gateway, database)
        stale = {**headers, "Wechatpay-Timestamp": str(int(headers["Wechatpay-Timestamp"]) - 600)}
        for forged in ((headers, body + b" "), (stale, body), ({}, b"{"), (headers, b"")):
            assert post(line, forged)[0] == 500
        assert post(line, paid(gateway, database, wrong_amount=True))[0] == 500
        assert verdicts(database) == {"refused": 1}
        with database.read() as connection:
            reasons = connection.scalars(
                text("select detail ->> 'reason' from audit.record order by id")
            )
            assert list(reasons) == [
                "wrong-signature",
                "stale",
                "malformed",
                "wrong-signature",
                "other-amount",
            ]


def test_a_notification_in_pieces_is_read_and_one_that_never_ends_holds_no_thread(
    gateway: Gateway, port: int, database_url: str
) -> None:
    with closing(Database(database_url, clock=WallClock(), pool_size=2)) as database:
        headers, body = paid(gateway, database)
        head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
        whole = head.encode() + body
        # As many as there are threads, and more, that begin and do not go on.
        silent = [socket.create_connection(("127.0.0.1", port), timeout=60) for _ in range(6)]
        for number, line in enumerate(silent):
            line.sendall(whole[: 40 * number])
        for cut in (40, len(head) - 2, len(head) + 5):
            with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
                line.sendall(whole[:cut])
                # The loop has read it once it has answered somebody else since.
                with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as other:
                    assert post(other, (headers, body)) == (204, b"")
                line.sendall(whole[cut:])
                assert line.recv(4096).startswith(b"HTTP/1.1 204 No Content\r\n")
        for line in silent:
            line.close()


WORDS = st.sampled_from(
    [
        *("Host: x", "host:y", "Content-Length: 3", "Content-Length:3 ", "Content-Length: +3"),
        *("Transfer-Encoding: chunked", "Connection: close", "Connection: keep-alive, x", "X_Y: z"),
        *(" folded", "Expect: 100-continue", "Z : z", "", "Content-Length: 3\nA: c", "B: \u00e9"),
    ]
)
LINES = st.sampled_from([f"POST {PATH} HTTP/1.1", f"POST {PATH}  HTTP/1.1", "GET / HTTP/1.0", ""])


@given(LINES, st.lists(WORDS, max_size=5))
def test_whatever_head_the_door_reads_gunicorn_reads_as_well_and_alike(
    line: str, words: list[str]
) -> None:
    head = "\r\n".join([line, *words]).encode("latin-1")
    read = read_head(head)
    if read is None:
        return
    request = next(RequestParser(Config(), [head + b"\r\n\r\nabcdef"], ("127.0.0.1", 1)))
    assert (request.method, request.path, request.version) == ("POST", PATH, (1, 1))
    assert {name.lower(): value for name, value in request.headers} == read.headers
    assert request.body.read() == b"abcdef"[: read.length]
    assert request.should_close() is not read.keeps


def test_the_door_reads_the_plainest_head() -> None:
    head = read_head(b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close")
    assert head is not None
    assert (head.line, head.length, head.keeps) == (b"POST /a HTTP/1.1", 3, False)
