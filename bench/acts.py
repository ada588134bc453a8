"""Acts of terminals a second, and whether each took effect once however often it was sent.

Terminals work a round each in bays of their own: a plate that begins a stay, its end, a report.
They go offline at random, their clocks are wrong by up to ten minutes, and their queues are sent
one to five times, cut and shuffled. Signed requests go through the whole application in this
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
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sqlalchemy import text

from bench._site import DISTRICT, bench_site, free_port
from city.people.accounts import create_account
from city.people.actors import SYSTEM
from city.people.credentials import issue_token
from city.terminals import services
from city.time import WallClock
from tests.terminal import Handheld

if TYPE_CHECKING:
    from datetime import datetime

    from flask.testing import FlaskClient

    from bench._site import BenchSite

ACTS_PATH: Final = "/api/v1/terminals/acts"
LEAST: Final = 2000.0
FAR_S: Final = 600.0
CUT: Final = 0.3
LETTERS: Final = "ABCDEFGHJK"
BAYS: Final = 8
"""A terminal's own."""
CREATED: Final = 201
OK: Final = 200
PASSWORD: Final = "correct horse 1 battery"  # noqa: S105 - of an account that lives for the bench
_FOUND: Final = text(
    "select (select count(*) from terminals.act) as kept,"
    " (select count(*) from terminals.act where outcome = 'refused') as refused,"
    " (select count(*) from audit.record where action = 'parking.bay_reported') as reports,"
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
        self.done += 1
        self.queue.append(
            {
                "id": str(_uuid(self.chance)),
                "sequence": self.done,
                "account_id": self.account_id,
                "device_at": self.device_at(now),
                "offset_ms": round(self.behind / timedelta(milliseconds=1)),
                "bay_id": bay,
                **members,
            }
        )

    def _plate(self, at: int) -> str:
        return f"京{LETTERS[self.number % 10]}{self.number // 10 % 10}{at % 10000:04}"


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


def _crew(client: FlaskClient, site: BenchSite, terminals: int, seed: int) -> list[Terminal]:
    """Enrol terminals and sign one person in at each."""
    chance = random.Random(seed)  # noqa: S311 - a bench draws its cases
    with site.database.unit_of_work() as uow:
        account_id = str(create_account(uow, "walker", "Walker", ["attendant"], PASSWORD))
        token = issue_token(uow, "api", account_id, ["attendant"])
    crew = []
    for number in range(terminals):
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
        mine = [str(each.id) for each in site.bays[number * BAYS : (number + 1) * BAYS]]
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


def run(terminals: int, acts: int, batch: int, seed: int) -> dict[str, object]:
    """Let the terminals work; give figures and what is wrong."""
    with bench_site(terminals * BAYS) as site:
        os.environ.update(site.environment(free_port()))
        # After the environment is set: settings are read once a process.
        from journeys.wiring import build  # noqa: PLC0415 - as the line above says
        from web.app import create_app  # noqa: PLC0415 - as the line above says

        crew = _crew(create_app(build()).test_client(), site, terminals, seed)
        taken_s, sent = _work(crew, acts, batch)
        with site.database.read() as connection:
            found = connection.execute(_FOUND).mappings().one()
    total = terminals * acts
    expected = {
        "kept": total,
        "refused": 0,
        "reports": terminals * ((acts + 1) // 3),
        "stays": terminals * ((acts + 2) // 3),
        "missing": 0,
    }
    return {
        "acts_per_s": round(total / sum(taken_s)),
        "sent_per_s": round(sent / sum(taken_s)),
        "acts": total,
        "sent": sent,
        "batches": len(taken_s),
        "batch_ms_median": round(1000 * statistics.median(taken_s), 1),
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
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="always on")
    options = parser.parse_args()
    result = run(options.terminals, options.acts, options.batch, options.seed)
    print(json.dumps(result))
    return 1 if result["wrong"] or result["acts_per_s"] < LEAST else 0  # type: ignore[operator] # a number


if __name__ == "__main__":
    raise SystemExit(main())
