"""The worker process: folds, archives, records, and runs jobs.

``python -m journeys.worker``. One process does all of it, each part in a thread of its own; more
processes may run beside it: a district's lease and the positions in PostgreSQL keep them from
doing anything twice. SIGTERM lets every part finish what it has begun.
"""

import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Final

import structlog

from city.errors import Unavailable
from city.identifiers import DistrictCode
from city.works.collector import steady_collector
from city.works.jobs import Worker
from city.works.logs import configure_logs
from journeys import wiring as composition
from journeys.settle_notices import Settler
from journeys.wiring import Wiring
from parking.archiving import Archive
from parking.folding import Folder
from parking.rebuilding import Rebuilder
from parking.recording import Recorder
from parking.services import places, stays
from signals.escorting import Escorter
from signals.hearing import Hearer
from signals.keeping import Keeper
from signals.overriding import Overrider
from signals.prioritising import Prioritiser
from signals.receiving import Receiver
from signals.sending import Sender
from signals.watching import Watcher

LOOK_S: Final = 5.0
"""How often new districts are looked for."""
REGISTRY_S: Final = 1.0
"""How often the registry's copy is compared: a moved device is heard in its new bay by then."""
DRAIN_S: Final = 25.0

Part = Callable[[threading.Event], None]

log = structlog.get_logger("worker")


class Parts:
    """The parts of a worker, a thread each. One that fails for good ends the process.

    Parameters
    ----------
    stop
        Set to let all of them finish.
    """

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._threads: dict[str, threading.Thread] = {}
        self.failed = False

    def start(self, name: str, run: Callable[[threading.Event], None]) -> None:
        """Start a part."""
        thread = threading.Thread(target=self._guarded, args=(name, run), name=name)
        self._threads[name] = thread
        thread.start()

    def _guarded(self, name: str, run: Callable[[threading.Event], None]) -> None:
        try:
            run(self._stop)
        except Exception:
            # What a part cannot bear itself is a bug or a broken server: start the process anew.
            log.exception("a part of the worker failed", part=name)
            self.failed = True
            self._stop.set()

    def join(self, timeout_s: float) -> list[str]:
        """Wait for all parts together; give the names of those that did not end in time."""
        deadline_s = time.monotonic() + timeout_s
        for thread in self._threads.values():
            thread.join(max(0.0, deadline_s - time.monotonic()))
        return [name for name, thread in self._threads.items() if thread.is_alive()]


def run(wiring: Wiring, stop: threading.Event) -> bool:
    """Work until told to stop; False where a part failed."""
    known = wiring.settings
    districts = _Districts(wiring)
    parts = Parts(stop)
    parked = Archive(wiring.live, wiring.database, lambda: (), partitions=known.uplink_partitions)
    jobs = Worker(
        known.addresses().database,
        composition.tasks(wiring),
        database=wiring.database,
        concurrency=known.worker_concurrency,
    )
    parts.start("registry", _Registry(wiring).run)
    parts.start("archive parked", parked.run)
    parts.start("jobs", jobs.run)
    parts.start("notices", Settler(wiring.database).run)
    parts.start("systems", Receiver().run)
    parts.start("street", Sender(wiring.database).run)
    parts.start("overrides", Overrider(wiring.database, wiring.wall).run)
    parts.start("priority", Prioritiser(wiring.database, wiring.wall).run)
    parts.start("escorts", Escorter(wiring.live, wiring.database, wiring.wall).run)
    parts.start("lights", Watcher(wiring.live, wiring.database, wiring.wall).run)
    parts.start("detections", Keeper(wiring.live, wiring.database).run)
    parts.start("passes", Hearer(wiring.live, wiring.database).run)
    begun: set[DistrictCode] = set()
    while not stop.is_set():
        for district in set(districts()) - begun:
            begun.add(district)
            for name, part in _district_parts(wiring, district).items():
                parts.start(f"{name} {district}", part)
        stop.wait(LOOK_S)
    unfinished = parts.join(DRAIN_S)
    if unfinished:
        log.warning("parts did not end in time", parts=unfinished)
    return not parts.failed


def _district_parts(wiring: Wiring, district: DistrictCode) -> dict[str, Part]:
    """Give what runs for each district: its streams may lie on another node than the next one's."""
    live, database, partitions = wiring.live, wiring.database, wiring.settings.uplink_partitions
    rebuilder = Rebuilder(
        live,
        database,
        district,
        wiring.placements,
        wiring.clock,
        apply=stays.apply_bay_changes,
        partitions=partitions,
    )
    folder = Folder(
        live,
        district,
        wiring.placements,
        wiring.clock,
        partitions=partitions,
        restore=rebuilder,
    )
    archive = Archive(live, database, lambda: [district], partitions=partitions, parked=False)
    recorder = Recorder(live, database, lambda: [district], stays.apply_bay_changes)
    return {"fold": folder.run, "archive": archive.run, "record": recorder.run}


class _Registry:
    """Keeps this process's copy of the registry up to date, so that folding never waits for it."""

    def __init__(self, wiring: Wiring) -> None:
        self._placements = wiring.placements

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                self._placements.refresh()
            except Unavailable as error:
                log.warning("the registry's copy stays as it is", reason=str(error))
            stop.wait(REGISTRY_S)


class _Districts:
    """The districts that have facilities; the last known ones while the database is away."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._known: tuple[DistrictCode, ...] = ()

    def __call__(self) -> tuple[DistrictCode, ...]:
        try:
            with self._wiring.database.read() as connection:
                self._known = places.districts(connection)
        except Unavailable as error:
            log.warning("districts cannot be read", reason=str(error))
        return self._known


def main() -> int:
    """Run the worker process."""
    wiring = composition.build(application="greenbay-worker")
    configure_logs(wiring.settings.log_level, process="worker")
    steady_collector()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    return 0 if run(wiring, stop) else 1


if __name__ == "__main__":
    sys.exit(main())
