"""A draft tariff on past stays: what it would have brought, and who would have paid more.

Runs as a job. The stays are read in one pass and rated in processes of their own with a low
priority: the worker folds the city's sensors meanwhile, and rating holds the interpreter.
"""

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from datetime import datetime
from multiprocessing import get_context
from typing import Final
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Connection

from city.errors import Invalid, NotFound
from city.identifiers import FacilityId, VehicleId, parse_id
from city.vault import masked
from city.works.database import Database
from city.works.embedded.children import follow_parent
from city.works.jobs import Task
from journeys.rate_stay import HISTORY
from journeys.vehicle_traits import traits_of
from parking.rules.tariffs.comparison import Chain, Comparison, PastStay, compare
from parking.rules.tariffs.model import Stay, VehicleTraits
from parking.rules.tariffs.plan import Tariff, stored_tariff
from parking.services.tariff_drafts import SIMULATE_TASK
from parking.store import tariff_drafts as drafts
from parking.store.past_stays import (
    PastStayRow,
    count_unattributed,
    past_stays,
    published_documents,
)
from parking.store.places import facilities_by_id

BATCH_STAYS: Final = 4_000
"""Stays rated at a time, whole vehicles; also what one look at the vault is for."""
LEAST_PRIORITY: Final = 10
RATING_LIMIT_S: Final = 3_600
"""For how long the reading of stays waits for those that rate them: they give way to the city."""

Packed = tuple[VehicleTraits, list[tuple[str, str, datetime, datetime]]]
"""A vehicle's stays as they are sent to another process: facility, version, entry, leaving."""


def processes_to_spare() -> int:
    """Give how many processes may rate at a time: one core is left to the city."""
    return max(1, min(4, (os.cpu_count() or 1) - 1))


def simulate_tariff(database: Database, simulation_id: UUID, *, processes: int) -> None:
    """Run a simulation that waits and keep its result; one that ran already stays as it is.

    Parameters
    ----------
    database : Database
        Holds the simulation, the versions and the stays.
    simulation_id : UUID
        From `parking.services.tariff_drafts.ask_simulation`.
    processes : int
        How many rate at a time; 0 for this one alone.

    Raises
    ------
    NotFound
        Where there is no such simulation.
    """
    with database.read(idle_limit_s=RATING_LIMIT_S) as connection:
        asked = drafts.simulation(connection, simulation_id)
        if asked is None:
            raise NotFound("no such simulation", field="simulation_id")
        if asked.status != "waiting":
            return
        try:
            result, problem = _result(connection, asked, processes), None
        except Invalid as error:
            result, problem = None, str(error)
    with database.unit_of_work() as uow:
        still = drafts.simulation(uow.connection, simulation_id, lock=True)
        if still is not None and still.status == "waiting":
            drafts.finish_simulation(
                uow.connection, simulation_id, uow.clock.now(), result=result, problem=problem
            )


def task(database: Database) -> Task:
    """Give the task that runs simulations."""

    def handle(arguments: Mapping[str, JsonValue]) -> None:
        simulation_id = parse_id(str(arguments.get("simulation_id")), "simulation_id")
        simulate_tariff(database, simulation_id, processes=processes_to_spare())

    return Task(SIMULATE_TASK, handle, attempts=3)


def _result(
    connection: Connection, asked: drafts.Simulation, processes: int
) -> dict[str, JsonValue]:
    record = drafts.record_of(connection, asked.version_id)
    after = drafts.document_of(connection, asked.version_id)
    if record is None or after is None:
        raise Invalid("the version is gone", field="version_id")
    if record.revision != asked.revision:
        raise Invalid("the draft was edited meanwhile", field="revision")
    before = {
        str(key): document
        for key, document in published_documents(connection, record.tariff_id).items()
    }
    tariff = stored_tariff(after)
    span = (record.tariff_id, asked.from_at, asked.to_at)
    found = Comparison()
    batches = _packed(connection, past_stays(connection, *span))
    for part in _compared(batches, before, after, processes):
        found.add(part)
    result = found.as_json(tariff.document.currency)
    result["unattributed"] = count_unattributed(connection, *span)
    return _with_codes(connection, result)


# --- reading -------------------------------------------------------------------------------------


def _packed(connection: Connection, rows: Iterable[PastStayRow]) -> Iterator[list[Packed]]:
    """Give stays in batches that hold every vehicle whole."""
    waiting: list[PastStayRow] = []
    for row in rows:
        if len(waiting) >= BATCH_STAYS and row.vehicle_id != waiting[-1].vehicle_id:
            yield _chains(connection, waiting)
            waiting = []
        waiting.append(row)
    if waiting:
        yield _chains(connection, waiting)


def _chains(connection: Connection, rows: Sequence[PastStayRow]) -> list[Packed]:
    by_vehicle: dict[UUID, list[tuple[str, str, datetime, datetime]]] = {}
    for row in rows:
        stay = (str(row.facility_id), str(row.tariff_version_id), row.opened_at, row.closed_at)
        by_vehicle.setdefault(row.vehicle_id, []).append(stay)
    plates = masked(connection, [VehicleId(each) for each in by_vehicle])
    kinds = {vehicle_id: plate.kind for vehicle_id, plate in plates.items()}
    return [
        (traits_of(kinds.get(VehicleId(vehicle_id))), stays)
        for vehicle_id, stays in by_vehicle.items()
    ]


def _with_codes(connection: Connection, result: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Name facilities by their codes, as people know them."""
    groups = result["groups"]
    rows = groups.get("facility") if isinstance(groups, dict) else None
    if not isinstance(rows, list):
        return result
    ids = [parse_id(str(row["key"]), "facility_id") for row in rows if isinstance(row, dict)]
    known = facilities_by_id(connection, [FacilityId(each) for each in ids])
    codes = {str(facility_id): each.code for facility_id, each in known.items()}
    for row in rows:
        if isinstance(row, dict):
            row["key"] = codes.get(str(row["key"]), str(row["key"]))
    return result


# --- rating, here or in processes of their own ---------------------------------------------------

Rater = Callable[[list[Packed]], Comparison]


def _rater(before: Mapping[str, str], after: str) -> Rater:
    tariffs = {key: stored_tariff(document) for key, document in before.items()}
    return lambda batch: _rated(batch, tariffs, stored_tariff(after))


def _rated(batch: list[Packed], before: Mapping[str, Tariff], after: Tariff) -> Comparison:
    chains = (
        Chain(
            traits,
            [
                PastStay(facility, version, Stay(enter_at, leave_at))
                for facility, version, enter_at, leave_at in stays
            ],
        )
        for traits, stays in batch
    )
    return compare(chains, before, after, HISTORY)


_process_rater: list[Rater] = []
"""What a process of the pool rates with: set once, when it begins."""


def _begin(before: Mapping[str, str], after: str) -> None:
    follow_parent(signal.SIGKILL)
    os.nice(LEAST_PRIORITY)
    _process_rater.append(_rater(before, after))


def _rate_in_process(batch: list[Packed]) -> Comparison:
    return _process_rater[0](batch)


def _compared(
    batches: Iterable[list[Packed]], before: Mapping[str, str], after: str, processes: int
) -> Iterator[Comparison]:
    """Rate batches as they are read; no more of them wait than the processes can take."""
    if processes <= 0:
        yield from map(_rater(before, after), batches)
        return
    context = get_context("spawn")  # a fork would take locks and sockets along
    with ProcessPoolExecutor(processes, context, _begin, (before, after)) as pool:
        under_way: deque[Future[Comparison]] = deque()
        for batch in batches:
            under_way.append(pool.submit(_rate_in_process, batch))
            if len(under_way) > 2 * processes:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
