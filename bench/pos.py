"""How long a sale at a POS terminal takes, beside a bare TCP echo and a bare commit.

Terminals dial ``journeys.pos_host`` in a process of its own and sell bills that nobody paid yet:
MAC, order, payment, postings and the act are one transaction. The echo gives a frame of the same
size back from another process; the commit inserts one row over one connection. All three are taken
in turn, so that what else the machine does falls on each. Then many terminals at once, each with
one sale in a while, as booths have customers.

Example
-------
``python -m bench.pos --sales 300 --terminals 100 --every-s 5``
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import text

from bench._site import DISTRICT, bench_site, free_port
from city.identifiers import (
    FacilityId,
    OperatorId,
    ParkingSessionId,
    TariffVersionId,
    VehicleId,
    uuid7,
)
from city.money import Money
from city.people.actors import system_actor
from city.vault.keys import key_source
from city.works.settings import settings
from payments import pos_terminals, takeovers
from payments.adapters.pos_terminal import PosTerminal
from payments.rules.bills import Charge
from payments.rules.pos.requests import Code, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bench._site import BenchSite
    from payments.rules.bills import Bill

MERCHANT: Final = "898330154110001"
FRAME_BYTES: Final = 230
"""Of a sale on the line, about; its answer is shorter."""
BATCH: Final = 200
START_PATIENCE_S: Final = 30.0
ECHO: Final = """
import asyncio, sys
async def line(reader, writer):
    try:
        while True:
            size = await reader.readexactly(2)
            writer.write(size + await reader.readexactly(int.from_bytes(size, "big")))
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()
async def main():
    server = await asyncio.start_server(line, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()
asyncio.run(main())
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sales", type=int, default=300, help="one after the other, by one")
    parser.add_argument("--terminals", type=int, default=100)
    parser.add_argument("--every-s", type=float, default=5.0, help="one sale of each in so long")
    parser.add_argument("--seconds", type=float, default=30.0, help="of many at once")
    given = parser.parse_args(arguments)
    with bench_site(32) as site, ExitStack() as stack:
        os.environ["GREENBAY_VAR"] = str(site.folder / "var")
        settings.cache_clear()
        key_source.cache_clear()
        port, echo_port = free_port(), free_port()
        at_once = int(given.terminals * (given.seconds / given.every_s + 1))
        bills = _bills(site, given.sales + at_once)
        terminals = [_terminal(site, port, number) for number in range(given.terminals)]
        environment = {**site.environment(free_port()), "POS_PORT": str(port)}
        log = stack.enter_context((site.folder / "pos.log").open("wb"))
        host = [sys.executable, "-m", "journeys.pos_host"]
        pid = stack.enter_context(_running(host, port, environment, log))
        echo = [sys.executable, "-c", ECHO, str(echo_port)]
        stack.enter_context(_running(echo, echo_port, dict(os.environ), log))
        before_ms = _processor_ms(pid)
        one = _one_by_one(site, terminals[0], echo_port, bills[: given.sales])
        host_ms = (_processor_ms(pid) - before_ms) / given.sales
        many = _at_once(terminals, bills[given.sales :], given.every_s, given.seconds)
        for each in terminals:
            each.close()
    print(
        json.dumps(
            {
                **one,
                "host_processor_ms_a_sale": round(host_ms, 2),
                "at_once": {"terminals": given.terminals, "every_s": given.every_s, **many},
            }
        )
    )
    return 0


def _bills(site: BenchSite, count: int) -> list[Bill]:
    made: list[Bill] = []
    line: dict[str, Any] = {"minor": 500, "units": 1}
    operator_id, facility_id = OperatorId(uuid7()), FacilityId(uuid7())
    while len(made) < count:
        charges = [
            Charge(
                session_id=ParkingSessionId(uuid7()),
                vehicle_id=VehicleId(uuid7()),
                facility_id=facility_id,
                district=DISTRICT,
                operator_id=operator_id,
                revenue_nature="public_non_tax",
                tariff_version_id=TariffVersionId(uuid7()),
                amount=Money(500, "CNY"),
                lines=(line,),
            )
            for _ in range(min(BATCH, count - len(made)))
        ]
        with site.database.unit_of_work() as uow:
            made += takeovers.issue_bills(uow, charges, "bench")
    return made


def _terminal(site: BenchSite, port: int, number: int) -> PosTerminal:
    with site.database.unit_of_work() as uow:
        given = pos_terminals.register(
            uow, system_actor("bench"), f"GB{number:06d}", MERCHANT, "bench", DISTRICT
        )
    return PosTerminal(("127.0.0.1", port), f"GB{number:06d}", MERCHANT, given.master)


@contextmanager
def _running(command: list[str], port: int, environment: dict[str, str], log: Any) -> Iterator[int]:
    """Run a process until the end; give its number once its port answers."""
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        until_s = time.monotonic() + START_PATIENCE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > until_s:
                    raise
                time.sleep(0.1)
        yield process.pid
    finally:
        process.terminate()
        process.wait(timeout=30)


def _sale(terminal: PosTerminal, bill: Bill, number: int) -> None:
    sold = terminal.sale(Target(bill_id=bill.id), 500, reference=f"{number:012d}")
    if sold.code != Code.OK:
        raise RuntimeError(f"a sale was answered {sold.code}: {sold.message.text(63)}")


def _timed(act: Callable[[], object]) -> float:
    begun_s = time.perf_counter()
    act()
    return (time.perf_counter() - begun_s) * 1000


def _one_by_one(
    site: BenchSite, terminal: PosTerminal, echo_port: int, bills: Sequence[Bill]
) -> dict[str, Any]:
    terminal.sign_in()
    frame = FRAME_BYTES.to_bytes(2, "big") + bytes(FRAME_BYTES)
    with site.database.unit_of_work() as uow:
        uow.connection.execute(text("create table bench_commit (id bigserial, at timestamptz)"))
    taken: dict[str, list[float]] = {"sale": [], "echo": [], "commit": []}

    def commit() -> None:
        with site.database.unit_of_work() as uow:
            uow.connection.execute(text("insert into bench_commit (at) values (now())"))

    with socket.create_connection(("127.0.0.1", echo_port)) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def echo() -> None:
            line.sendall(frame)
            left = len(frame)
            while left:
                left -= len(line.recv(left))

        for number, bill in enumerate(bills):
            taken["sale"].append(_timed(partial(_sale, terminal, bill, number)))
            taken["echo"].append(_timed(echo))
            taken["commit"].append(_timed(commit))
    return {
        "sales": len(bills),
        **{f"{name}_ms": _percentiles(values) for name, values in taken.items()},
    }


def _at_once(
    terminals: Sequence[PosTerminal], bills: Sequence[Bill], every_s: float, seconds: float
) -> dict[str, Any]:
    """Let each terminal sell once in a while, spread over it, and time each sale."""
    taken: list[float] = []
    failed: list[str] = []
    left = iter(enumerate(bills, 10_000_000))
    lock = threading.Lock()
    for each in terminals:
        each.sign_in()
    begun_s = time.monotonic() + 0.5

    def booth(place: int, terminal: PosTerminal) -> None:
        due_s = begun_s + every_s * place / len(terminals)
        while due_s < begun_s + seconds:
            time.sleep(max(0.0, due_s - time.monotonic()))
            with lock:
                number, bill = next(left)
            try:
                ms = _timed(partial(_sale, terminal, bill, number))
            except Exception as error:  # noqa: BLE001 - told in the result, whatever it is
                failed.append(repr(error))
                return
            taken.append(ms)
            due_s += every_s

    threads = [threading.Thread(target=booth, args=each) for each in enumerate(terminals)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {
        "sales": len(taken),
        "a_second": round(len(taken) / seconds, 1),
        "failed": len(failed),
        "sale_ms": _percentiles(taken),
    }


def _processor_ms(pid: int) -> float:
    """Give the processor time that a process has used: what other work does not lengthen."""
    told = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def _percentiles(values: Sequence[float]) -> dict[str, float]:
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return {"p50": round(cuts[49], 2), "p99": round(cuts[98], 2), "most": round(max(values), 2)}


if __name__ == "__main__":
    raise SystemExit(main())
