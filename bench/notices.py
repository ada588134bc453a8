"""Channels' notifications a second, beside pgbench's commits of one inserted row.

Each request is a true notification, sent once, in its channel's own format and signature, about a
payment that we had not heard of: it is verified, compared with its order, kept in the inbox and
acknowledged; the worker, which runs beside it, settles its bill with payment, ledger entry and
postings. Told are both: how many are acknowledged a second, and how many a second until the last of
them is settled. pgbench inserts one row a commit, with as many connections, on the same server, in
turn with ours. The load is made by another process (`bench._sender`). Beside other work the ratio
says less: pgbench is 33 processes, to each of which the machine gives a share, and we are five.

Example
-------
``python -m bench.notices --seconds 3 --rounds 3``
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, text

from bench._load import SENDER, Request, measure_once
from bench._sender import CONNECTIONS
from bench._site import DISTRICT, GUNICORN_API, bench_site, cpu_s, free_port, served
from city.identifiers import (
    FacilityId,
    OperatorId,
    ParkingSessionId,
    TariffVersionId,
    VehicleId,
    uuid7,
)
from city.money import Money
from city.time import WallClock
from city.works.embedded.postgres import packaged_installation
from payments import takeovers
from payments.adapters.accounts import read_channels
from payments.channel_orders import CHANNEL_ORDER
from payments.gateway.app import Gateway
from payments.gateway.keys import make_keys
from payments.gateway.notifier import Damage
from payments.gateway.orders import Terms
from payments.rules.bills import Charge
from payments.rules.channel_bills.lines import CHINA
from payments.rules.channel_orders import ChannelOrder, OrderState, takes_money_for
from payments.rules.channels import Channel, Method

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from multiprocessing.connection import Connection
    from pathlib import Path

    from bench._site import BenchSite, Server
    from payments.rules.bills import Bill

LEAST = 0.25
LONGEST_P99_MS = 500.0
AMOUNT = Money(1250, "CNY")
BATCH = 200
PATIENCE_S = 120.0
_FLOOR = """create table if not exists bench_floor (
    id bigint generated always as identity primary key, event text not null, at timestamptz not null
)"""
_WAITING = text("select exists (select from payments.channel_notice where verdict = 'waiting')")
_BACKENDS = text(
    "select pid, coalesce(nullif(application_name, ''), backend_type) from pg_stat_activity"
    " where pid <> pg_backend_pid()"
)
_INSERT = "insert into bench_floor (event, at) values (md5(random()::text), now());\n"


def issue(site: BenchSite, merchants: dict[Channel, str], count: int) -> list[ChannelOrder]:
    """Issue bills and keep an order over each, in turn of the channels.

    As `channel_payments.ask_order` keeps it, some hundreds in one statement: made one by one, the
    orders would take longer than all that is measured.
    """
    orders: list[ChannelOrder] = []
    operator_id, facility_id = OperatorId(uuid7()), FacilityId(uuid7())
    line: dict[str, Any] = {"minor": AMOUNT.minor, "units": 1}
    known = list(merchants)
    while len(orders) < count:
        charges = [
            Charge(
                session_id=ParkingSessionId(uuid7()),
                vehicle_id=VehicleId(uuid7()),
                facility_id=facility_id,
                district=DISTRICT,
                operator_id=operator_id,
                revenue_nature="public_non_tax",
                tariff_version_id=TariffVersionId(uuid7()),
                amount=AMOUNT,
                lines=(line,),
            )
            for _ in range(min(BATCH, count - len(orders)))
        ]
        with site.database.unit_of_work() as uow:
            bills = takeovers.issue_bills(uow, charges, "bench")
            channels = [known[(len(orders) + n) % len(known)] for n in range(len(bills))]
            asked = [
                _order(bill, channel, merchants[channel], uow.wall.now())
                for bill, channel in zip(bills, channels, strict=True)
            ]
            uow.connection.execute(insert(CHANNEL_ORDER), [_row(each) for each in asked])
        orders += asked
    return orders


def _order(bill: Bill, channel: Channel, merchant: str, now: datetime) -> ChannelOrder:
    number = uuid7()
    return ChannelOrder(
        id=number,
        bill_id=bill.id,
        channel=channel,
        order_no=number.hex,
        merchant=merchant,
        method=Method.CODE,
        amount=bill.outstanding,
        state=OrderState.ASKED,
        opened_at=now.replace(microsecond=0),
        opened_by="bench",
        expires_at=now.replace(microsecond=0) + takes_money_for(Method.CODE),
    )


def _row(order: ChannelOrder) -> dict[str, object]:
    return {
        "id": order.id,
        "bill_id": order.bill_id,
        "channel": order.channel.value,
        "order_no": order.order_no,
        "merchant": order.merchant,
        "method": order.method.value,
        "amount_minor": order.amount.minor,
        "currency": order.amount.currency,
        "state": order.state.value,
        "opened_at": order.opened_at,
        "opened_by": order.opened_by,
        "expires_at": order.expires_at,
    }


def notify(gateway: Gateway, orders: list[ChannelOrder]) -> list[Request]:
    """Let the gateway take each order's money; give what it would send.

    Signing is nearly all of it: as many processes share it as there are processors, each with the
    gateway as it stands here.
    """
    fork = get_context("fork")
    count = os.cpu_count() or 1
    readers = []
    for number in range(count):
        reader, writer = fork.Pipe(duplex=False)
        fork.Process(target=_sign, args=(gateway, orders[number::count], writer)).start()
        writer.close()
        readers.append(reader)
    return [request for reader in readers for request in reader.recv()]


def _sign(gateway: Gateway, orders: list[ChannelOrder], answers: Connection) -> None:
    answers.send([_notice(gateway, order) for order in orders])
    answers.close()


def _notice(gateway: Gateway, order: ChannelOrder) -> Request:
    path = f"/api/v1/channel-notices/{order.channel.value}"
    key = order.order_no
    if order.channel is Channel.UNIONPAY:
        key += order.opened_at.astimezone(CHINA).strftime(":%Y%m%d%H%M%S")
    products = {Channel.WECHAT: "NATIVE", Channel.ALIPAY: "precreate", Channel.UNIONPAY: "07"}
    now = gateway.desk.now()
    gateway.desk.book.open(
        order.channel,
        order.order_no,
        Terms(order.amount.minor, "停车费", products[order.channel]),
        at=now,
        merchant=order.merchant,
        notify_url=f"http://127.0.0.1{path}",
        key=key,
    )
    paid, _ = gateway.desk.book.pay(order.channel, key, "2088000000000000", now)
    headers, body = gateway.desk.channels[order.channel].paid(paid).write(Damage())
    return Request("POST", path, headers, body)


def commits_a_second(url: str, script: Path, seconds: float) -> float:
    """Run pgbench with one insert a transaction over 32 connections."""
    done = subprocess.run(
        [
            str(packaged_installation() / "bin" / "pgbench"),
            "--no-vacuum",
            f"--client={CONNECTIONS}",
            "--jobs=2",
            f"--time={max(1, round(seconds))}",
            f"--file={script}",
            url,
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds + 60,
    )
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    if found is None:
        raise RuntimeError(done.stdout)
    return float(found[1])


@contextmanager
def _worker(
    site: BenchSite, port: int, settings: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run the worker, which settles what is acknowledged."""
    with (site.folder / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "journeys.worker"],
            env={**site.environment(port), **settings},
            stdout=log,
            stderr=log,
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()  # it may be asking channels that nobody serves here
                process.wait()


def spent(site: BenchSite, server: Server, worker: subprocess.Popen[bytes]) -> dict[str, float]:
    """Give the processor time of each part so far, in seconds: ours, and PostgreSQL's for each."""
    parts: dict[str, float] = defaultdict(float)
    parts |= {"api": cpu_s(server.process.pid), "worker": cpu_s(worker.pid)}
    with site.database.read() as connection:
        for pid, name in connection.execute(_BACKENDS):
            parts[f"postgres: {name}"] += cpu_s(pid)
    return parts


def settled_after_s(site: BenchSite) -> float:
    """Wait until nothing that was acknowledged waits any more; give for how long."""
    begun = time.monotonic()
    while True:
        with site.database.read() as connection:
            if not connection.execute(_WAITING).scalar_one():
                return time.monotonic() - begun
        if time.monotonic() - begun > PATIENCE_S:
            raise RuntimeError((site.folder / "worker.log").read_text()[-2_000:])
        time.sleep(0.01)


def run(seconds: float, rounds: int, expected: int, processes: int) -> dict[str, object]:
    """Measure both in turn; give the median of the rounds' ratios."""
    gateway = Gateway(make_keys(WallClock().now()))
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    document = gateway.desk.keys.client_document(gateway.address)
    merchants = {
        channel: adapter.merchant
        for channel, adapter in read_channels(document, origin, WallClock()).items()
    }
    ours, floor, behind_s, parts = [], [], [], []
    with bench_site(0) as site:
        accounts = site.folder / "channels.json"
        accounts.write_text(json.dumps(document))
        script = site.folder / "insert.sql"
        script.write_text(_INSERT)
        with site.database.unit_of_work() as uow:
            uow.connection.execute(text(_FLOOR))
        settings = {
            "PAYMENT_CHANNELS": str(accounts),
            "GREENBAY_URL": origin,
            "GREENBAY_API_PROCESSES": str(processes),
        }
        with (
            served(site, port, GUNICORN_API, path="/healthz", more=settings) as server,
            _worker(site, port, settings) as worker,
        ):
            for number in range(rounds + 1):
                # The first round warms up. More are made than are taken: none comes twice.
                length_s = seconds if number else 1.0
                sent = notify(gateway, issue(site, merchants, round(expected * length_s)))
                floor.append(commits_a_second(site.database_url, script, length_s))
                before = spent(site, server, worker)
                ours.append(measure_once(server, sent, length_s, (200, 204)))
                after = spent(site, server, worker)
                parts.append(
                    {
                        name: round((after[name] - before[name]) / ours[-1].requests * 1e6)
                        for name in after
                        if after[name] > before[name]
                    }
                )
                behind_s.append(settled_after_s(site))
        with site.database.read() as connection:
            settled = connection.execute(
                text("select count(*) from payments.bill where state = 'paid'")
            ).scalar_one()
            refused = connection.execute(
                text("select count(*) from payments.channel_notice where verdict <> 'taken'")
            ).scalar_one()
    gateway.stop()
    counted, floor, behind_s = ours[1:], floor[1:], behind_s[1:]
    whole = [
        each.requests / (each.requests / each.requests_per_s + late)
        for each, late in zip(counted, behind_s, strict=True)
    ]
    ratios = [a.requests_per_s / b for a, b in zip(counted, floor, strict=True)]
    return {
        "notifications": round(statistics.median(each.requests_per_s for each in counted)),
        "floor": round(statistics.median(floor)),
        "ratio": round(statistics.median(ratios), 3),
        "ratios": [round(each, 3) for each in ratios],
        "unit": "a second",
        "settled_a_second": round(statistics.median(whole)),
        "settled_ratio": round(
            statistics.median(a / b for a, b in zip(whole, floor, strict=True)), 3
        ),
        "last_settled_after_s": [round(each, 2) for each in behind_s],
        "p99_ms": round(statistics.median(each.p99_ms for each in counted), 1),
        "cpu_us": round(statistics.median(each.cpu_us for each in counted)),
        "cpu_us_of_each": parts[-1],
        "answered": sum(each.requests for each in ours),
        "settled": settled,
        "refused": refused,
        "load": SENDER,
        "load_cpu_us": round(statistics.median(each.load_cpu_us for each in counted)),
        "errors": sum(each.errors for each in ours),
        "least": LEAST,
        "processes": processes,
        "note": "32 connections, the worker as in production, fsync on",
    }


def main() -> int:
    """Print the figures; fail below the least ratio, or where a notification is refused."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--expected", type=int, default=3000, help="notifications made for each second"
    )
    parser.add_argument(
        "--processes",
        type=int,
        default=os.cpu_count() or 1,
        help="of the API; else one a core, as docs/operations.md says",
    )
    parser.add_argument("--json", action="store_true", help="always on")
    options = parser.parse_args()
    result = run(options.seconds, options.rounds, options.expected, options.processes)
    print(json.dumps(result))
    slow = result["ratio"] < LEAST or result["p99_ms"] > LONGEST_P99_MS  # type: ignore[operator] # numbers
    return 1 if slow or result["refused"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
