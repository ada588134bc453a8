"""Virtual sensors: real device frames of real models, in the envelope of a network server.

Each bay has one. Most do their work; a few are silent, a few have weak batteries or bad signal,
a few report a change that is none, because a city's sensors do. Pure; time is handed in.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heappop, heappush
from random import Random
from typing import TYPE_CHECKING, Final, Literal

import orjson

from city.time import rfc3339
from parking.rules.sensors.frames import build

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from city.identifiers import BayId
    from web.demo.bays import DemoBay, DemoFacility

KERB_MODELS: Final = (
    "bosch-tps110",
    "nwave-nps405",
    "nwave-nps310sm",
    "tekzitel-tekzipark",
    "dingtek-do200",
    "dingtek-do201",
)
GARAGE_MODELS: Final = ("dingtek-do202", "nwave-nps405")
WITH_STARTUP: Final = frozenset(
    {"bosch-tps110", "nwave-nps405", "nwave-nps310sm", "tekzitel-tekzipark"}
)
"""Models that say that they were powered; the others begin with their telemetry."""
HEARTBEAT: Final = timedelta(hours=2)
"""On average; half as much to half as much again, so that they never come all at once."""
SILENT_SHARE: Final = 0.006
WEAK_BATTERY_SHARE: Final = 0.02
FLICKER_SHARE: Final = 0.01
FLICKER_CHANCE: Final = 0.3
DETECTION_S: Final = (4.0, 14.0)
"""A magnetic sensor reports a change after the field has settled."""
SETTLES: Final = timedelta(seconds=3)
"""Least time between two changes that one sensor reports. Source: Nwave, about 3 s."""

Kind = Literal["status", "heartbeat", "startup"]


@dataclass(frozen=True, slots=True)
class SensorPlan:
    """What a bay's sensor is; decided by the seed alone, so that set-up and life agree."""

    network_key: str
    model: str
    facility: DemoFacility
    bay: DemoBay
    silent: bool
    weak_battery: bool
    flickers: bool
    rssi: int


@dataclass(frozen=True, slots=True)
class Message:
    """One MQTT message of one device."""

    network_key: str
    topic: str
    payload: bytes


@dataclass(slots=True)
class _Sensor:
    plan: SensorPlan
    session: str
    occupied: bool = False
    counter: int = 0
    changed_at: datetime | None = None
    """Begin of the present state; None before the first change of this life."""
    settled_at: datetime | None = None
    """When the last change that is under way will have been noticed."""


def plan_sensors(facilities: Sequence[DemoFacility], seed: int) -> tuple[SensorPlan, ...]:
    """Return the sensor of every bay."""
    random = Random(seed + 3)  # noqa: S311 - a town, not a secret
    plans: list[SensorPlan] = []
    for facility in facilities:
        models = GARAGE_MODELS if facility.kind == "garage" else KERB_MODELS
        model = random.choice(models)
        for bay in facility.bays:
            draw = random.random()
            plans.append(
                SensorPlan(
                    # 70B3D5 is the registry's block for private use; the rest counts.
                    f"70b3d57ed{len(plans) + 1:07x}",
                    model,
                    facility,
                    bay,
                    silent=draw < SILENT_SHARE,
                    weak_battery=SILENT_SHARE <= draw < SILENT_SHARE + WEAK_BATTERY_SHARE,
                    flickers=draw > 1 - FLICKER_SHARE,
                    rssi=round(random.gauss(-96, 9)),
                )
            )
    return tuple(plans)


class SensorField:
    """All sensors of the town.

    Parameters
    ----------
    plans
        The sensors.
    seed
        Decides delays, signal and flicker.
    session
        Begins the name of their join session: another one for every life of the town, because
        counters begin anew.
    """

    def __init__(self, plans: Sequence[SensorPlan], seed: int, session: str) -> None:
        self._random = Random(seed + 4)  # noqa: S311 - a town, not a secret
        self._sensors = {
            plan.bay.bay_id: _Sensor(plan, f"{session}-{plan.network_key[-6:]}") for plan in plans
        }
        self._coming: list[tuple[datetime, int, BayId, Kind, bool | None]] = []
        """What sensors will say and when; of a change the state, None for the contrary."""
        self._order = 0

    def switch_on(
        self, at: datetime, taken: Collection[BayId], over: timedelta, *, first: bool
    ) -> None:
        """Let every sensor join the network and say what it sees.

        Parameters
        ----------
        at
            Now.
        taken
            Bays with a car in them.
        over
            The sensors join one after the other within this time.
        first
            The town's first life: then they also say that they were just powered.
        """
        for bay_id, sensor in self._sensors.items():
            sensor.occupied = bay_id in taken
            joins_at = at + over * self._random.random()
            if first and sensor.plan.model in WITH_STARTUP:
                self._plan(joins_at, bay_id, "startup")
            # What a sensor sees as it starts is weak evidence; a confirmation follows it.
            self._plan(joins_at + timedelta(seconds=5), bay_id, "heartbeat")

    def sense(self, bay_id: BayId, at: datetime, *, occupied: bool) -> None:
        """Let a bay's sensor notice that a car has come or gone."""
        sensor = self._sensors[bay_id]
        noticed_at = at + timedelta(seconds=self._random.uniform(*DETECTION_S))
        if sensor.settled_at is not None:
            # A quick successor is not seen before its predecessor's leaving was.
            noticed_at = max(noticed_at, sensor.settled_at + SETTLES)
        if sensor.plan.flickers and self._random.random() < FLICKER_CHANCE:
            # A lorry passes: the opposite for some seconds.
            self._plan(noticed_at, bay_id, "status")
            self._plan(noticed_at + timedelta(seconds=6), bay_id, "status")
            noticed_at += timedelta(seconds=14)
        sensor.settled_at = noticed_at
        self._plan(noticed_at, bay_id, "status", occupied=occupied)

    def until(self, now: datetime) -> list[Message]:
        """Return the messages sent up to an instant, in order of time."""
        messages = []
        while self._coming and self._coming[0][0] <= now:
            at, _, bay_id, kind, occupied = heappop(self._coming)
            sensor = self._sensors[bay_id]
            if kind == "heartbeat":
                self._plan(at + HEARTBEAT * self._random.uniform(0.5, 1.5), bay_id, kind)
            message = self._said(sensor, at, kind, occupied)
            if message is not None:
                messages.append(message)
        return messages

    def _plan(
        self, at: datetime, bay_id: BayId, kind: Kind, *, occupied: bool | None = None
    ) -> None:
        self._order += 1
        heappush(self._coming, (at, self._order, bay_id, kind, occupied))

    def _said(
        self, sensor: _Sensor, at: datetime, kind: Kind, occupied: bool | None
    ) -> Message | None:
        """Return what a sensor sends at an instant; None where it has nothing to say."""
        before_s = None
        if kind == "status":
            state = not sensor.occupied if occupied is None else occupied
            if state == sensor.occupied:
                return None
            if sensor.changed_at is not None:
                before_s = round((at - sensor.changed_at).total_seconds())
            sensor.occupied, sensor.changed_at = state, at
        plan = sensor.plan
        if plan.silent:
            return None
        sensor.counter += 1
        port, frame = build(
            plan.model,
            sensor.occupied,
            kind=kind,
            counter=sensor.counter,
            battery_v=2.9 if plan.weak_battery else 3.6,
            temperature_c=18,
            previous_state_s=before_s,
        )
        return Message(
            plan.network_key,
            f"greenbay/v1/{plan.facility.district}/{plan.network_key}/up",
            orjson.dumps(self._envelope(sensor, at, port, frame)),
        )

    def _envelope(
        self, sensor: _Sensor, at: datetime, port: int, frame: bytes
    ) -> dict[str, object]:
        """Return The Things Stack's uplink message."""
        plan = sensor.plan
        return {
            "end_device_ids": {
                "device_id": f"{plan.model}-{plan.bay.label.lower()}",
                "application_ids": {"application_id": "linjiang"},
                "dev_eui": plan.network_key.upper(),
            },
            "received_at": rfc3339(at),
            "uplink_message": {
                "session_key_id": sensor.session,
                "f_port": port,
                "f_cnt": sensor.counter,
                "frm_payload": base64.b64encode(frame).decode(),
                "rx_metadata": [
                    {
                        "gateway_ids": {"gateway_id": f"mast-{plan.facility.district}"},
                        "rssi": plan.rssi + self._random.randint(-3, 3),
                        "snr": round(self._random.uniform(4, 11), 1),
                    }
                ],
                "settings": {"data_rate": {"lora": {"spreading_factor": 9}}},
                "received_at": rfc3339(at),
            },
        }
