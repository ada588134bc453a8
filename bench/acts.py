"""Acts of terminals a second, and whether each took effect once however often it was sent.

First batches of one kind each, from one terminal in bays of its own: plates that begin stays, what
is reported of the bays, the stays' ends, cash for their bills. With the processor time of this
process and of the database server for each act, and how many statements a batch took. The first
batch of each kind is not counted: the process meets its statements for the first time. Beside each
batch stands a floor, taken in turn with it: the same bodies kept as rows of a bare table, a
statement and a durable commit for all of them. Other work on the machine lengthens both.

Then terminals work a round each in bays of their own: a plate that begins a stay, a report, the
end. They go offline at random, their clocks are wrong by up to ten minutes, and their queues are
sent one to five times, cut and shuffled. Signed requests go through the whole application in this
process, to embedded PostgreSQL with its crash safety on. The time is that of uploads alone.

Example
-------
``python -m bench.acts --terminals 4 --acts 300``
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sqlalchemy import event, text

from bench._site import DISTRICT, bench_site, free_port
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
from city.people.accounts import create_account
from city.people.actors import SYSTEM
from city.people.credentials import issue_token
from city.terminals import services
from city.time import WallClock
from city.works.collector import steady_collector
from payments.rules.bills import Charge
from payments.services import issue_bill
from tests.terminal import Handheld

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Engine

    from bench._site import BenchSite
    from tests.terminal import Door

ACTS_PATH: Final = "/api/v1/terminals/acts"
LEAST: Final = 2000.0
FAR_S: Final = 600.0
CUT: Final = 0.3
LETTERS: Final = "ABCDEFGHJK"
EACH_KIND: Final = ("plate", "report", "end", "cash")
"""In this order: a stay begins before it ends."""
BAYS: Final = 8
"""A terminal's own."""
CREATED: Final = 201
OK: Final = 200
PASSWORD: Final = "correct horse 1 battery"  # noqa: S105 - of an account that lives for the bench
_BARE: Final = text(
    "insert into bench_bare (id, body) select cast(r ->> 'id' as uuid), r"
    " from jsonb_array_elements(cast(:rows as jsonb)) as r"
)
_FOUND: Final = text(
    "select (select count(*) from terminals.act) as kept,"
    " (select count(*) from terminals.act where outcome = 'refused') as refused,"
    " (select count(*) from audit.record where action = 'parking.bay_reported') as reports,"
    " (select count(*) from payments.payment) as payments,"
    " (select count(*) from parking.parking_session) as stays,"
    " (select coalesce(sum(last_sequence - received), 0) from terminals.act_count) as missing"
)


@dataclass(slots=True)
class Terminal:
    """A terminal on its round."""

    number: int
    handheld: Handheld
    account_id: str
    bays: list[str]
    behind: timedelta
    chance: random.Random
    done: int = 0
    queue: list[dict[str, Any]] = field(default_factory=list)

    def device_at(self, now: datetime) -> str:
        """Give the time by its own clock."""
        return (now - self.behind).isoformat()

    def act(self, now: datetime) -> None:
        """Do the next thing: begin a stay in a bay, report the bay, end the stay."""
        at, step = divmod(self.done, 3)
        bay = self.bays[at % len(self.bays)]
        members: dict[str, Any] = [
            {"kind": "plate", "plate": self._plate(at), "plate_kind": "blue7"},
            {"kind": "report", "what": "other", "note": str(self.done)},
            {"kind": "end", "reason": "left before my eyes"},
        ][step]
        self.tell({"bay_id": bay, **members}, now)

    def tell(self, members: dict[str, Any], now: datetime) -> None:
        """Put an act in the queue under the next number."""
        self.done += 1
        self.queue.append(
            {
                "id": str(_uuid(self.chance)),
                "sequence": self.done,
                "account_id": self.account_id,
                "device_at": self.device_at(now),
                "offset_ms": round(self.behind / timedelta(milliseconds=1)),
                **members,
            }
        )

    def _plate(self, at: int) -> str:
        return f"京{LETTERS[self.number % 10]}{self.number // 10 % 10}{at % 10000:04}"


@dataclass(slots=True)
class Meter:
    """What a part of the bench took."""

    seconds: float = 0.0
    api_cpu_s: float = 0.0
    """Of this process: application, client and signing."""
    server_cpu_s: float = 0.0
    """Of the database server's processes."""
    statements: int = 0
    batches: int = 0
    acts: int = 0
    floor_s: float = 0.0
    """What keeping the same bodies took."""

    def figures(self) -> dict[str, float]:
        """Give them for each act."""
        return {
            "acts": self.acts,
            "acts_per_s": round(self.acts / self.seconds),
            "floor_per_s": round(self.acts / self.floor_s),
            "api_cpu_ms": round(1000 * self.api_cpu_s / self.acts, 3),
            "database_cpu_ms": round(1000 * self.server_cpu_s / self.acts, 3),
            "statements_a_batch": round(self.statements / self.batches, 1),
        }


def server_cpu_s(postmaster: int) -> float:
    """Give the processor time of a database server, its backends and those that are over."""
    pids = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text("ascii").split()
    own = Path(f"/proc/{postmaster}/stat").read_text("ascii").rpartition(")")[2].split()
    ticks = sum(int(each) for each in own[11:15])
    taken_s = 0.0
    for pid in pids:
        try:
            taken_s += int(Path(f"/proc/{pid}/schedstat").read_text("ascii").split()[0]) / 1e9
        except FileNotFoundError:
            continue
    return ticks / os.sysconf("SC_CLK_TCK") + taken_s


def postmaster_of(engine: Engine) -> int:
    """Give the process that a database server's others are children of."""
    with engine.connect() as connection:
        pid = connection.exec_driver_sql("select pg_backend_pid()").scalar_one()
    told = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return int(told[1])


@contextmanager
def _metered(meter: Meter, engine: Engine, acts: int) -> Iterator[None]:
    """Add what a part takes."""
    postmaster = postmaster_of(engine)

    def count(*_of: object) -> None:
        meter.statements += 1

    event.listen(engine, "before_cursor_execute", count)
    began_s, cpu_s, server_s = time.perf_counter(), time.process_time(), server_cpu_s(postmaster)
    try:
        yield
    finally:
        meter.seconds += time.perf_counter() - began_s
        meter.api_cpu_s += time.process_time() - cpu_s
        meter.server_cpu_s += server_cpu_s(postmaster) - server_s
        event.remove(engine, "before_cursor_execute", count)
    meter.acts += acts
    meter.batches += 1


def members(kind: str, terminal: Terminal, at: int, bills: Sequence[str]) -> dict[str, Any]:
    """Give what the act of a kind needs that a terminal does as its so-manieth."""
    bay_id = terminal.bays[at]
    match kind:
        case "plate":
            plate = f"京{LETTERS[terminal.number % 10]}{at:05}"
            return {"kind": kind, "bay_id": bay_id, "plate": plate, "plate_kind": "blue7"}
        case "report":
            return {"kind": kind, "bay_id": bay_id, "what": "other", "note": str(at)}
        case "end":
            return {"kind": kind, "bay_id": bay_id, "reason": "left before my eyes"}
        case _:
            return {"kind": kind, "bill_id": bills[at], "tendered_minor": 1000, "currency": "CNY"}


def _kinds(
    engine: Engine, site: BenchSite, terminal: Terminal, acts: int, batch: int
) -> dict[str, dict[str, float]]:
    """Send batches of one kind each; give what an act of each kind takes."""
    bills = bills_of(site, acts)
    found: dict[str, dict[str, float]] = {}
    for kind in EACH_KIND:
        meter = Meter()
        for first in range(0, acts, batch):
            for at in range(first, min(first + batch, acts)):
                terminal.tell(members(kind, terminal, at, bills), WallClock().now())
            sent, terminal.queue = terminal.queue, []
            if first == 0:
                results, _ = _post(terminal, sent)
            else:
                meter.floor_s += keep_bare(engine, sent)
                with _metered(meter, engine, len(sent)):
                    results, _ = _post(terminal, sent)
            if any(each["result"] != "created" for each in results):
                raise RuntimeError(f"{kind}: {results}")
        found[kind] = meter.figures()
    return found


def keep_bare(engine: Engine, sent: list[dict[str, Any]]) -> float:
    """Keep bodies as they are, durably; give the seconds."""
    began_s = time.perf_counter()
    with engine.begin() as connection:
        connection.execute(_BARE, {"rows": json.dumps(sent)})
    return time.perf_counter() - began_s


def bills_of(site: BenchSite, count: int) -> list[str]:
    """Issue bills, as of stays that are over."""
    bills = []
    with site.database.unit_of_work() as uow:
        for _ in range(count):
            charge = Charge(
                session_id=ParkingSessionId(uuid7()),
                vehicle_id=VehicleId(uuid7()),
                facility_id=FacilityId(site.facilities[0].id),
                district=DistrictCode(DISTRICT),
                operator_id=OperatorId(site.facilities[0].operator_id),
                revenue_nature="commercial",
                tariff_version_id=TariffVersionId(uuid7()),
                amount=Money(900, "CNY"),
                lines=({"minor": 900, "units": 1},),
            )
            bills.append(str(issue_bill(uow, charge, "bench").id))
    return bills


def _uuid(chance: random.Random) -> UUID:
    return UUID(int=chance.getrandbits(128), version=4)


def _post(terminal: Terminal, acts: list[dict[str, Any]]) -> tuple[Any, float]:
    body = {"sent_at": terminal.device_at(WallClock().now()), "items": acts}
    began_s = time.perf_counter()
    answer = terminal.handheld.post(ACTS_PATH, body)
    took_s = time.perf_counter() - began_s
    if answer.status_code != OK:
        raise RuntimeError(answer.get_data(as_text=True))
    return answer.get_json()["items"], took_s


def crew_of(client: Door, site: BenchSite, bays: Sequence[int], seed: int) -> list[Terminal]:
    """Enrol terminals, each with so many bays of its own, and sign one person in at each."""
    chance = random.Random(seed)  # noqa: S311 - a bench draws its cases
    with site.database.unit_of_work() as uow:
        account_id = str(create_account(uow, "walker", "Walker", ["attendant"], PASSWORD))
        token = issue_token(uow, "api", account_id, ["attendant"])
    crew = []
    taken = 0
    for number, own in enumerate(bays):
        with site.database.unit_of_work() as uow:
            given = services.register(uow, SYSTEM, f"PDA {number}", DISTRICT)
        handheld = Handheld(client)
        if handheld.enrol(given.code).status_code != CREATED:
            raise RuntimeError("a terminal was not enrolled")
        path = "/api/v1/terminals/sign-ins"
        body = json.dumps({"terminal_id": handheld.name}).encode()
        headers = handheld.signed(path, body) | {"Authorization": f"Bearer {token}"}
        if client.post(path, data=body, headers=headers).status_code != CREATED:
            raise RuntimeError("nobody was signed in")
        mine = [str(each.id) for each in site.bays[taken : taken + own]]
        taken += own
        behind = timedelta(seconds=chance.uniform(-FAR_S, FAR_S))
        crew.append(Terminal(number, handheld, account_id, mine, behind, chance))
    return crew


def _work(crew: list[Terminal], acts: int, batch: int) -> tuple[list[float], int]:
    """Let all do what they have to, and send it until all of it is known to be kept."""
    taken_s: list[float] = []
    sent = 0
    while any(each.done < acts or each.queue for each in crew):
        for terminal in crew:
            chance = terminal.chance
            for _ in range(min(acts - terminal.done, chance.randint(1, batch))):
                terminal.act(WallClock().now())
            for _ in range(chance.randint(1, 5)):
                if not terminal.queue:
                    break
                part = terminal.queue[:batch]
                if chance.random() < CUT:
                    part = part[: chance.randint(1, len(part))]
                results, took_s = _post(terminal, part)
                taken_s.append(took_s)
                sent += len(part)
                if chance.random() < CUT:
                    continue  # the answer is lost
                known = {each["id"] for each in results if each["kept"]}
                terminal.queue = [each for each in terminal.queue if each["id"] not in known]
    return taken_s, sent


def run(terminals: int, acts: int, batch: int, seed: int, each_kind: int) -> dict[str, object]:
    """Let the terminals work; give figures and what is wrong."""
    bays = [each_kind, *([BAYS] * terminals)]
    with bench_site(sum(bays)) as site:
        os.environ.update(site.environment(free_port()))
        # After the environment is set: settings are read once a process.
        from journeys.wiring import build  # noqa: PLC0415 - as the line above says
        from web.app import create_app  # noqa: PLC0415 - as the line above says

        wiring = build()
        with site.database.unit_of_work() as uow:
            uow.connection.execute(
                text("create table bench_bare (id uuid primary key, body jsonb)")
            )
        first, *crew = crew_of(create_app(wiring).test_client(), site, bays, seed)
        engine = wiring.database.engine
        steady_collector()  # as the API's process begins
        kinds = _kinds(engine, site, first, each_kind, batch)
        meter = Meter()
        load = os.getloadavg()
        with _metered(meter, engine, terminals * acts):
            taken_s, sent = _work(crew, acts, batch)
        with site.database.read() as connection:
            found = connection.execute(_FOUND).mappings().one()
    total = terminals * acts
    expected = {
        "kept": total + 4 * each_kind,
        "refused": 0,
        "reports": terminals * ((acts + 1) // 3) + each_kind,
        "payments": each_kind,
        "stays": terminals * ((acts + 2) // 3) + each_kind,
        "missing": 0,
    }
    return {
        "kinds": kinds,
        "acts_per_s": round(total / sum(taken_s)),
        "sent_per_s": round(sent / sum(taken_s)),
        "acts": total,
        "sent": sent,
        "batches": len(taken_s),
        "batch_ms_median": round(1000 * statistics.median(taken_s), 1),
        "api_cpu_ms_per_act": round(1000 * meter.api_cpu_s / total, 3),
        "database_cpu_ms_per_act": round(1000 * meter.server_cpu_s / total, 3),
        "load_average": [round(each, 1) for each in load],
        "wrong": {
            name: [int(found[name]), wanted]
            for name, wanted in expected.items()
            if int(found[name]) != wanted
        },
        "least": LEAST,
        "note": "one process, one connection, fsync on; signing included",
    }


def main() -> int:
    """Print the figures; fail below the least rate, or where anything is lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--terminals", type=int, default=20)
    parser.add_argument("--acts", type=int, default=300, help="of each terminal")
    parser.add_argument("--batch", type=int, default=200)
    parser.add_argument("--each-kind", type=int, default=1000, help="acts of each kind by itself")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="always on")
    options = parser.parse_args()
    result = run(options.terminals, options.acts, options.batch, options.seed, options.each_kind)
    print(json.dumps(result))
    return 1 if result["wrong"] or result["acts_per_s"] < LEAST else 0  # type: ignore[operator] # a number


if __name__ == "__main__":
    raise SystemExit(main())
