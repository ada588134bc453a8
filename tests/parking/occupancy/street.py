"""A street of bays with known ids, its registry in memory, and frames into its stream."""

import random
from uuid import UUID, uuid5

import redis

from city.identifiers import BayId, DeviceId, DistrictCode, FacilityId
from parking.hearing import Hearing, Registry
from parking.placements import Placed
from parking.rules.occupancy.history import Change
from parking.rules.occupancy.machine import BLANK
from parking.rules.occupancy.memory import run
from parking.rules.occupancy.observations import Observation, identity
from parking.rules.occupancy.policy import DEFAULT_POLICY, FoldingPolicy
from parking.rules.sensors.frames import build
from parking.uplinks import Uplink, known_entry, uplink_stream

EAST = DistrictCode("east1")
SPACE = UUID("11111111-2222-4333-8444-555555555555")
START_MS = 1_772_413_200_000
"""2026-03-02T01:00:00Z, where the tests' clock stands."""
MODELS = ("bosch-tps110", "nwave-nps405", "tekzitel-tekzipark")
FACILITY = FacilityId(uuid5(SPACE, "facility"))


def bay_id(number: int) -> BayId:
    return BayId(uuid5(SPACE, f"bay {number}"))


def device_id(number: int) -> DeviceId:
    return DeviceId(uuid5(SPACE, f"device {number}"))


class Street:
    """A registry: device n lies in bay n; a second device in bay 0."""

    def __init__(self, bays: int) -> None:
        self.bays = bays
        self.version = 1
        self.models = {number: MODELS[number % len(MODELS)] for number in range(bays + 1)}
        self._placed = {
            device_id(number): Placed(
                device_id(number),
                bay_id(number % bays),
                FACILITY,
                EAST,
                120.1 + number * 0.0001,
                30.2,
                "primary" if number < bays else "secondary",
                0,
                None,
            )
            for number in range(bays + 1)
        }

    def refresh(self, *, force: bool = False) -> bool:
        del force
        return False

    def history(self, device: UUID) -> tuple[Placed, ...]:
        placed = self._placed.get(DeviceId(device))
        return () if placed is None else (placed,)

    def entry(
        self,
        number: int,
        at_ms: int,
        *,
        occupied: bool,
        counter: int,
        kind: str = "status",
        received_ms: int | None = None,
        before_s: int | None = None,
    ) -> dict[bytes, bytes]:
        model = self.models[number]
        port, frame = build(
            model,
            occupied=occupied,
            kind=kind,  # type: ignore[arg-type] # a test's own text
            counter=counter,
            previous_state_s=before_s,
        )
        uplink = Uplink(0, f"{number:016x}", port, frame, at_ms, "s1", counter, None, -90.0, 7.0)
        received_ms = at_ms if received_ms is None else received_ms
        return dict(known_entry(uplink, device_id(number), model, at_ms, received_ms))

    def traffic(self, frames: int, seed: int, lateness_ms: int) -> list[dict[bytes, bytes]]:
        """Draw frames of all devices in the order of arrival: some late, some twice."""
        draw = random.Random(seed)  # noqa: S311 - repeatable traffic
        arriving: list[tuple[int, int, dict[bytes, bytes]]] = []
        for order in range(frames):
            number = draw.randrange(self.bays + 1)
            at_ms = START_MS + order * 3_000 + draw.randrange(3_000)
            delay_ms = draw.randrange(lateness_ms) if draw.random() < 0.3 else draw.randrange(2_000)
            kind = draw.choice(["status", "status", "heartbeat", "startup"])
            entry = self.entry(
                number,
                at_ms,
                occupied=draw.random() < 0.5,
                counter=order,
                kind=kind,
                received_ms=at_ms + delay_ms,
                before_s=draw.choice([None, 60, 600, 4_000]),
            )
            copies = range(draw.choice([1, 1, 1, 2]))
            arriving.extend((at_ms + delay_ms + copy * 500, order, entry) for copy in copies)
        return [entry for _, _, entry in sorted(arriving, key=lambda one: one[:2])]


def append(live: redis.Redis, entries: list[dict[bytes, bytes]], partition: int = 0) -> None:
    pipeline = live.pipeline(transaction=False)
    for entry in entries:
        pipeline.xadd(uplink_stream(EAST, partition), entry)  # type: ignore[arg-type] # bytes
    pipeline.execute()


def plain_fold(
    street: Registry, entries: list[dict[bytes, bytes]], policy: FoldingPolicy = DEFAULT_POLICY
) -> dict[str, tuple[tuple[int, ...], list[Change]]]:
    """Fold entries the plain way: all in memory, sorted, each once. By bay: state and history."""
    raw = [(b"0-1", [b"u", entry[b"u"]]) for entry in entries]
    heard, _ = Hearing(EAST, street, policy).hear([raw])
    folded: dict[str, tuple[tuple[int, ...], list[Change]]] = {}
    for bay, (_, observations) in heard.items():
        once: dict[tuple[str | int, ...], Observation] = {}
        for one in sorted(observations):
            once.setdefault(identity(one), one)
        history: list[Change] = []
        core = run(BLANK, list(once.values()), policy, history)
        folded[bay] = ((core.change.state, core.change.at_ms, core.sure, core.heard_ms), history)
    return folded
