"""Acts of terminals a second as deployed: gunicorn's processes, several terminals side by side.

Each terminal sends batches of one kind, one after the other over a connection of its own, signed;
all send at the same time, as terminals do that come back into a network. The server is gunicorn as
deployed, with so many processes as are asked for, on embedded PostgreSQL with its crash safety on;
this process only signs, before the clock runs, and sends. Beside each kind stands a floor, taken
right before it: the same bodies kept as rows of a bare table by as many connections at once, a
statement and a durable commit for each. Other work on the machine lengthens both. The first batch
of each terminal and kind is not counted: processes meet their statements for the first time.

Example
-------
``python -m bench.acts_served --terminals 8 --acts 2000 --processes 2``
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import create_engine, text

from bench._site import GUNICORN_API, bench_site, free_port, served
from bench.acts import (
    ACTS_PATH,
    EACH_KIND,
    LEAST,
    OK,
    bills_of,
    crew_of,
    keep_bare,
    members,
    postmaster_of,
    server_cpu_s,
)
from city.time import WallClock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Engine

    from bench._site import BenchSite, Server
    from bench.acts import Terminal

TIMEOUT_S: Final = 60.0
PROMISED: Final = text(
    "select (select count(*) from terminals.act where outcome = 'done') as kept,"
    " (select count(*) from payments.payment) as payments,"
    " (select count(*) from parking.parking_session where closed_at is not null) as stays,"
    " (select coalesce(sum(last_sequence - received), 0) from terminals.act_count) as missing"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status_code: int
    content: bytes

    def get_json(self) -> Any:
        """Read it."""
        return json.loads(self.content)


class Line:
    """One terminal's connection, kept open."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)

    def post(self, path: str, *, data: bytes, headers: dict[str, str]) -> Answer:
        """Send a request."""
        self._connection.request("POST", path, data, headers)
        answer = self._connection.getresponse()
        return Answer(answer.status, answer.read())


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch, signed."""

    acts: int
    data: bytes
    headers: dict[str, str]


def side_by_side(work: Sequence[Callable[[], None]]) -> float:
    """Do all at the same time; give the seconds until the last is done."""
    faults: list[BaseException] = []

    def run(each: Callable[[], None]) -> None:
        try:
            each()
        except BaseException as error:  # noqa: BLE001 - told to who waits
            faults.append(error)

    threads = [threading.Thread(target=run, args=(each,)) for each in work]
    began_s = time.perf_counter()
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    took_s = time.perf_counter() - began_s
    if faults:
        raise faults[0]
    return took_s


def batches_of(terminal: Terminal, kind: str, bills: Sequence[str], batch: int) -> list[Batch]:
    """Sign what a terminal does of one kind, in all its bays."""
    made = []
    for first in range(0, len(terminal.bays), batch):
        for at in range(first, min(first + batch, len(terminal.bays))):
            terminal.tell(members(kind, terminal, at, bills), WallClock().now())
        sent, terminal.queue = terminal.queue, []
        body = {"sent_at": terminal.device_at(WallClock().now()), "items": sent}
        data = json.dumps(body).encode()
        made.append(Batch(len(sent), data, terminal.handheld.signed(ACTS_PATH, data)))
    return made


def send(line: Line, batches: Sequence[Batch], took_s: list[float]) -> None:
    """Send batches in their order; each act must be new."""
    for each in batches:
        began_s = time.perf_counter()
        answer = line.post(ACTS_PATH, data=each.data, headers=each.headers)
        took_s.append(time.perf_counter() - began_s)
        if answer.status_code != OK:
            raise RuntimeError(answer.content[:2_000])
        results = [one["result"] for one in answer.get_json()["items"]]
        if results != ["created"] * each.acts:
            raise RuntimeError(answer.content[:2_000])


def floor_a_second(engine: Engine, told: Sequence[Sequence[Batch]]) -> float:
    """Keep the same bodies bare, as many connections at once; give acts a second."""

    def keep(batches: Sequence[Batch]) -> Callable[[], None]:
        def run() -> None:
            for each in batches:
                keep_bare(engine, json.loads(each.data)["items"])

        return run

    took_s = side_by_side([keep(each) for each in told])
    return sum(each.acts for batches in told for each in batches) / took_s


def measure(
    server: Server,
    engine: Engine,
    terminals: Sequence[tuple[Terminal, Line]],
    told: Sequence[Sequence[Batch]],
) -> dict[str, float]:
    """Send all terminals' batches of one kind at the same time; give the figures."""
    spent: list[float] = []
    for (_, line), batches in zip(terminals, told, strict=True):
        send(line, batches[:1], spent)
    counted = [batches[1:] for batches in told]
    floor = floor_a_second(engine, counted)
    postmaster = postmaster_of(engine)
    cpu_s, database_s = server.cpu_s(), server_cpu_s(postmaster)
    spent.clear()
    took_s = side_by_side(
        [
            lambda line=line, batches=batches: send(line, batches, spent)  # type: ignore[misc]
            for (_, line), batches in zip(terminals, counted, strict=True)
        ]
    )
    acts = sum(each.acts for batches in counted for each in batches)
    spent.sort()
    return {
        "acts": acts,
        "acts_per_s": round(acts / took_s),
        "floor_per_s": round(floor),
        "batch_ms_median": round(1000 * spent[len(spent) // 2]),
        "batch_ms_longest": round(1000 * spent[-1]),
        "api_cpu_ms": round(1000 * (server.cpu_s() - cpu_s) / acts, 3),
        "database_cpu_ms": round(1000 * (server_cpu_s(postmaster) - database_s) / acts, 3),
    }


def run(terminals: int, acts: int, batch: int, processes: int) -> dict[str, object]:
    """Measure each kind; give figures and what is wrong."""
    with bench_site(terminals * acts) as site:
        with site.database.unit_of_work() as uow:
            uow.connection.execute(
                text("create table bench_bare (id uuid primary key, body jsonb)")
            )
        bills = bills_of(site, terminals * acts)
        port = free_port()
        more = {"GREENBAY_API_PROCESSES": str(processes)}
        load = os.getloadavg()
        with served(site, port, GUNICORN_API, path="/healthz", more=more) as server:
            crew = crew_of(Line(server.port), site, [acts] * terminals, seed=1)
            kinds = _kinds(site, server, crew, bills, batch)
        with site.database.read() as connection:
            found = connection.execute(PROMISED).mappings().one()
    total = terminals * acts
    expected = {"kept": len(EACH_KIND) * total, "payments": total, "stays": total, "missing": 0}
    whole_s = sum(each["acts"] / each["acts_per_s"] for each in kinds.values())
    return {
        "kinds": kinds,
        "acts_per_s": round(sum(each["acts"] for each in kinds.values()) / whole_s),
        "terminals": terminals,
        "processes": processes,
        "load_average": [round(each, 1) for each in load],
        "wrong": {
            name: [int(found[name]), wanted]
            for name, wanted in expected.items()
            if int(found[name]) != wanted
        },
        "least": LEAST,
    }


def _kinds(
    site: BenchSite, server: Server, crew: Sequence[Terminal], bills: Sequence[str], batch: int
) -> dict[str, dict[str, float]]:
    engine = create_engine(site.database.engine.url, pool_size=len(crew))
    terminals = [(each, Line(server.port)) for each in crew]
    acts = len(bills) // len(crew)
    found = {}
    try:
        for kind in EACH_KIND:
            told = [
                batches_of(each, kind, bills[number * acts : (number + 1) * acts], batch)
                for number, each in enumerate(crew)
            ]
            found[kind] = measure(server, engine, terminals, told)
    finally:
        engine.dispose()
    return found


def main() -> int:
    """Print the figures; fail below the least rate, or where anything is lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--terminals", type=int, default=8, help="that send at once")
    parser.add_argument("--acts", type=int, default=1000, help="of each terminal and kind")
    parser.add_argument("--batch", type=int, default=200)
    parser.add_argument("--processes", type=int, default=2, help="of the API")
    parser.add_argument("--json", action="store_true", help="always on")
    options = parser.parse_args()
    result = run(options.terminals, options.acts, options.batch, options.processes)
    print(json.dumps(result))
    return 1 if result["wrong"] or result["acts_per_s"] < LEAST else 0  # type: ignore[operator] # a number


if __name__ == "__main__":
    raise SystemExit(main())
