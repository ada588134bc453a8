"""The processes of a running system, in the order they start: the one place that lists them.

Embedded, with the demo, they are eight Python processes at most: the supervisor, the broker with
its ingest, the API's master and worker, the live feed's master and worker, the worker, the demo.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from signal import SIGTERM, Signals

from city.works.settings import Settings


@dataclass(frozen=True, slots=True)
class ProcessPlan:
    """How one process is started, stopped and restarted.

    Attributes
    ----------
    name
        Of its log, its lock and in messages.
    argv
        The command.
    environment
        What is set for it beside the supervisor's own environment.
    drain_s
        Longest time to finish what it has begun when asked to stop; then it is killed.
    stop_signal
        What asks it to stop.
    answers_at
        Port and path of a web process: it is ready when that answers with less than 500.
    first_wait_s, longest_wait_s
        Wait before it is started again after it ended: doubling with each end, and back to the
        first after it ran for `steady_s`.
    """

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    drain_s: float = 20.0
    stop_signal: Signals = SIGTERM
    answers_at: tuple[int, str] | None = None
    first_wait_s: float = 0.2
    longest_wait_s: float = 15.0
    steady_s: float = 30.0


def process_plans(settings: Settings) -> Sequence[ProcessPlan]:
    """Return what runs beside the databases; it stops in the reverse order.

    Where `MQTT_URL` is set the first one only listens to that broker, else it is the broker too.
    """
    python = sys.executable
    plans = [
        ProcessPlan("ingest", (python, "-m", "parking.adapters.mqtt_ingest")),
        ProcessPlan("worker", (python, "-m", "journeys.worker"), drain_s=30.0),
        ProcessPlan(
            "api",
            (python, "-m", "gunicorn", "--config", "python:city.works.gunicorn_api"),
            answers_at=(settings.port, "/readyz"),
        ),
        ProcessPlan(
            "live",
            (python, "-m", "gunicorn", "--config", "python:city.works.gunicorn_live"),
            answers_at=(settings.live_port, "/live/"),
        ),
    ]
    if settings.pos_port is not None:
        plans.append(ProcessPlan("pos", (python, "-m", "journeys.pos_host"), drain_s=10.0))
    if settings.gat1049_port is not None:
        plans.append(
            ProcessPlan("platforms", (python, "-m", "journeys.platform_host"), drain_s=10.0)
        )
    if settings.demo_enabled:
        plans.append(ProcessPlan("demo", (python, "-m", "web.demo", "live"), drain_s=10.0))
    return plans


@dataclass(frozen=True, slots=True)
class Preparation:
    """A command that has to succeed before the processes start.

    Attributes
    ----------
    argv
        The command.
    shown
        Whether what it prints is for the person at the terminal, once everything is ready.
    """

    argv: tuple[str, ...]
    shown: bool = False


def preparations(settings: Settings) -> Sequence[Preparation]:
    """Return what comes first: the schema, and the demo city (which prints its log-ins)."""
    wanted = [Preparation((sys.executable, "-m", "city.works.schema"))]
    if settings.demo_enabled:
        wanted.append(Preparation((sys.executable, "-m", "web.demo", "prepare"), shown=True))
    return wanted
