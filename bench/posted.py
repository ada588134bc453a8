"""What it costs that no money moves without a posting: the checks at commit on and off, in turn.

A cash payment in a transaction of its own, as an attendant takes it, with its bill; and payments
written by the hundred in one transaction, as the settling of notifications does. Both on a ledger
that holds so many payments already. Told are wall time, which other work on the machine disturbs,
and the server's own processor time, which it does not. Nothing is judged.

Example
-------
``python -m bench.posted --before 20000 --rounds 6``
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg

from bench._site import DISTRICT, bench_site
from city.identifiers import (
    FacilityId,
    OperatorId,
    ParkingSessionId,
    PaymentId,
    TariffVersionId,
    VehicleId,
    uuid7,
)
from city.money import Money
from payments import services, takeovers
from payments.rules.bills import Charge, Payment, credited
from payments.rules.booking import book_payment
from payments.store import bills as bill_store
from payments.store import ledger as ledger_store
from payments.store import takings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from city.works.database import Database
    from payments.rules.bills import Bill

OPERATOR: Final = OperatorId(uuid7())
AMOUNT: Final = Money(900, "CNY")
BATCH: Final = 256
SINGLE: Final = 100
CHECKS: Final = (
    "select tgname, relname from pg_trigger join pg_class on pg_class.oid = tgrelid"
    " where relnamespace = 'payments'::regnamespace and (tgname like 'money_is_posted%'"
    "  or tgname like 'bill_is_counted%' or tgname = 'names_its_payment')"
)


def charge() -> Charge:
    """Give a rated stay of a vehicle of its own."""
    return Charge(
        ParkingSessionId(uuid7()),
        VehicleId(uuid7()),
        FacilityId(uuid7()),
        DISTRICT,
        OPERATOR,
        "commercial",
        TariffVersionId(uuid7()),
        AMOUNT,
        ({"minor": AMOUNT.minor, "units": 1},),
    )


def pay_many(database: Database, bills: Sequence[Bill]) -> None:
    """Write a payment for each of some bills: five statements in one transaction."""
    at = database.clock.now()
    taken = [
        Payment(PaymentId(uuid7()), bill.id, "cash", AMOUNT, AMOUNT, at, "bench") for bill in bills
    ]
    with database.unit_of_work() as uow:
        takings.add_payments(uow.connection, taken)
        bill_store.write_states(uow.connection, [credited(bill, AMOUNT, at) for bill in bills])
        ledger_store.add_entries(
            uow.connection,
            [book_payment(paid, bill) for paid, bill in zip(taken, bills, strict=True)],
        )


def issue_many(database: Database) -> list[Bill]:
    """Write bills, set-wise."""
    with database.unit_of_work() as uow:
        return takeovers.issue_bills(uow, [charge() for _ in range(BATCH)], "bench")


def server_cpu_s(database: Database) -> float:
    """Give the processor time that the pool's one connection has had at the server."""
    with database.read() as connection:
        pid = connection.exec_driver_sql("select pg_backend_pid()").scalar_one()
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def one_round(database: Database) -> dict[str, float]:
    """Give what a payment takes: with its bill alone, and in a hundred at once; in ms."""
    begun, used_s = time.perf_counter(), server_cpu_s(database)
    for _ in range(SINGLE):
        with database.unit_of_work() as uow:
            bill = services.issue_bill(uow, charge(), "bench")
            services.pay_in_cash(uow, bill.id, AMOUNT, "bench")
    single_s = (time.perf_counter() - begun) / SINGLE
    single_cpu_s = (server_cpu_s(database) - used_s) / SINGLE
    bills = issue_many(database)
    begun, used_s = time.perf_counter(), server_cpu_s(database)
    pay_many(database, bills)
    batch_s = (time.perf_counter() - begun) / BATCH
    batch_cpu_s = (server_cpu_s(database) - used_s) / BATCH
    return {
        "bill_and_payment_ms": single_s * 1e3,
        "bill_and_payment_server_cpu_ms": single_cpu_s * 1e3,
        "payment_of_a_batch_ms": batch_s * 1e3,
        "payment_of_a_batch_server_cpu_ms": batch_cpu_s * 1e3,
    }


def run(before: int, rounds: int) -> dict[str, Any]:
    """Measure with the checks and without, in turn: each round has both."""
    with bench_site(0) as site, psycopg.connect(site.database_url, autocommit=True) as connection:
        for _ in range(-(-before // BATCH)):
            pay_many(site.database, issue_many(site.database))
        connection.execute("vacuum (analyze)")
        checks = connection.execute(CHECKS).fetchall()
        taken: dict[bool, list[dict[str, float]]] = {True: [], False: []}
        for number in range(2 * rounds + 2):
            checked = number % 2 == 0
            act = "enable always" if checked else "disable"
            for name, table in checks:
                connection.execute(f"alter table payments.{table} {act} trigger {name}")
            measured = one_round(site.database)
            if number > 1:  # The first of each warms up.
                taken[checked].append(measured)
    figures: dict[str, Any] = {"payments_before": before, "rounds": rounds, "checks": len(checks)}
    for name in taken[True][0]:
        of = {state: statistics.median(each[name] for each in taken[state]) for state in taken}
        differences = [
            with_[name] - without[name]
            for with_, without in zip(taken[True], taken[False], strict=True)
        ]
        figures[name] = {
            "checked": round(of[True], 3),
            "unchecked": round(of[False], 3),
            "paired_difference": round(statistics.median(differences), 3),
        }
    return figures


def main(arguments: Sequence[str]) -> int:
    """Print one JSON object."""
    line = argparse.ArgumentParser(description=__doc__)
    line.add_argument("--before", type=int, default=20_000)
    line.add_argument("--rounds", type=int, default=6)
    line.add_argument("--json", action="store_true", help="always on")
    given = line.parse_args(arguments)
    print(json.dumps(run(given.before, given.rounds)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
