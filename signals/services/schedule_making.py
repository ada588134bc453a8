"""Schedules asked for, and made from counts as a job: drafts, with a plan version for each plan."""

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from pydantic import JsonValue

from city.errors import CityError, Invalid
from city.people.actors import Actor, system_actor
from city.works.database import Database, UnitOfWork
from signals.rules.counts.tables import QUARTER_MIN
from signals.rules.model.schemas import FORMAT
from signals.rules.safety.profiles import profile_named
from signals.rules.schedules.exceptions import (
    SpecialDays,
    exceptions_as_json,
    exceptions_from_json,
)
from signals.services import networks, plan_versions
from signals.services.apart import lent
from signals.services.schedules import FOLLOWER, find, record_act
from signals.store import counts as count_store
from signals.store import schedules as store

TASK: Final = "signals.make_schedule"
MOST_SIGNALS: Final = 20
MOST_DAYS: Final = 120
TIME_LIMIT_S: Final = 600.0
TIMEZONE: Final = "Asia/Shanghai"

Made = tuple[dict[str, JsonValue], dict[str, list[JsonValue]]]
"""A schedule's document, and its plans' documents by their names."""


def ask(
    uow: UnitOfWork,
    actor: Actor,
    network_id: UUID,
    *,
    title: str,
    signals: Sequence[str],
    first: dt.date,
    last: dt.date,
    profile: str = "gb",
    least_min: int = 30,
    most_plans: int = 12,
    keep_stages: bool = False,
    special: Sequence[SpecialDays] = (),
) -> store.ScheduleRecord:
    """Ask for a schedule of signals that change plans together, from the counts of some days.

    Raises
    ------
    Invalid
        On too many signals or days, a signal that was not counted then, or special days that
        meet each other.
    """
    home = networks.network(uow.connection, network_id)
    profile_named(profile)
    wanted = list(dict.fromkeys(signals))
    if not 1 <= len(wanted) <= MOST_SIGNALS:
        raise Invalid(f"must name 1 to {MOST_SIGNALS} signals", field="signals")
    if not 0 <= (last - first).days < MOST_DAYS:
        raise Invalid(f"must lie within {MOST_DAYS} days behind the first", field="last")
    if least_min % QUARTER_MIN:
        raise Invalid("must be whole quarters of an hour", field="least_min")
    networks.parts(uow.connection, home.id, wanted)
    there = {each.signal: each for each in count_store.counted(uow.connection, home.id)}
    for name in wanted:
        found = there.get(name)
        if found is None or found.first > last or found.last < first:
            raise Invalid(f"{name} was not counted on these days", field="signals")
    settings: dict[str, JsonValue] = {
        "first": first.isoformat(),
        "last": last.isoformat(),
        "least_min": least_min,
        "most_plans": most_plans,
        "keep_stages": keep_stages,
        "exceptions": exceptions_as_json(special),
    }
    made = store.add(
        uow.connection,
        home.id,
        title=title,
        signals=wanted,
        profile=profile,
        timezone=TIMEZONE,
        settings=settings,
        at=uow.clock.now(),
        by=actor.subject,
    )
    uow.defer(TASK, {"schedule_id": str(made)})
    asked = find(uow.connection, made)
    record_act(uow, actor, "signals.schedule_asked", asked, settings)
    return asked


def run(database: Database, schedule_id: UUID, *, apart: bool) -> None:
    """Make a schedule that waits, or go on with one whose worker died.

    Parameters
    ----------
    database : Database
    schedule_id : UUID
    apart : bool
        In a process of its own with a low priority: making plans holds the interpreter.
    """
    with database.unit_of_work() as uow:
        asked = store.record_of(uow.connection, schedule_id, lock=True)
        if asked is None or asked.status not in {"waiting", "making"}:
            return
        store.change(uow.connection, asked.id, status="making")
    try:
        document, plans = _made(database, asked, apart=apart)
        with database.unit_of_work() as uow:
            _finish(uow, asked, document, plans)
    except CityError as error:
        with database.unit_of_work() as uow:
            now = store.record_of(uow.connection, asked.id, lock=True)
            if now is not None and now.status == "making":
                store.change(uow.connection, asked.id, status="failed", problem=str(error))


def give_up(uow: UnitOfWork, schedule_id: UUID, problem: str) -> bool:
    """Let a schedule that nobody will make end as failed; False where it is made or has failed."""
    found = store.record_of(uow.connection, schedule_id, lock=True)
    if found is None or found.status not in {"waiting", "making"}:
        return False
    store.change(uow.connection, found.id, status="failed", problem=problem)
    return True


def _made(database: Database, asked: store.ScheduleRecord, *, apart: bool) -> Made:
    settings = asked.settings
    with database.read() as connection:
        cases = networks.cases(
            connection, asked.network_id, asked.signals, profile_named(asked.profile)
        )
        running = networks.running(connection, asked.network_id, asked.signals)
        legs = count_store.legs_of(
            connection,
            asked.network_id,
            asked.signals,
            dt.date.fromisoformat(str(settings["first"])),
            dt.date.fromisoformat(str(settings["last"])),
        )
    own = {name: plan for name, (_, plan) in running.items()}
    arguments = (asked.title, cases, own, legs, settings)
    with lent(_make, apart=apart) as make:
        return make(*arguments)


def _make(
    title: str,
    cases: Mapping[str, Any],
    own: Mapping[str, Any],
    legs: Sequence[Any],
    settings: Mapping[str, Any],
) -> Made:
    """Make a schedule; here or in a process of its own."""
    # They load SciPy, which only who makes plans needs.
    from signals.rules.counts.places import legs_of  # noqa: PLC0415 - as above
    from signals.rules.schedules.documents import plans_json, schedule_json  # noqa: PLC0415 - as above
    from signals.rules.schedules.library import Site  # noqa: PLC0415 - as above
    from signals.rules.schedules.making import make_schedule  # noqa: PLC0415 - as above
    from signals.rules.schedules.model import Settings  # noqa: PLC0415 - as above

    until_s = time.monotonic() + TIME_LIMIT_S
    sites = [
        Site(
            case,
            legs_of(case.network)[name],
            (own[name],) if name in own else (),
            keep_stages=bool(settings["keep_stages"]),
        )
        for name, case in cases.items()
    ]
    made = make_schedule(
        sites,
        legs,
        exceptions_from_json(settings["exceptions"]),
        Settings(
            least_quarters=int(settings["least_min"]) // QUARTER_MIN,
            most_plans=int(settings["most_plans"]),
        ),
        lambda: time.monotonic() > until_s,
    )
    return schedule_json(title, made), plans_json(title, made)


def _finish(
    uow: UnitOfWork,
    asked: store.ScheduleRecord,
    document: dict[str, JsonValue],
    plans: Mapping[str, list[JsonValue]],
) -> None:
    now = store.record_of(uow.connection, asked.id, lock=True)
    if now is None or now.status != "making":
        return
    # Whoever asked for it is its author: somebody else approves it.
    author = Actor("person", asked.asked_by, None, frozenset(), "")
    versions = {
        name: plan_versions.draft(
            uow,
            author,
            asked.network_id,
            title=name,
            document={"format": FORMAT, "plans": each},
            profile=asked.profile,
            origin="schedule",
        ).id
        for name, each in plans.items()
    }
    store.change(
        uow.connection, asked.id, status="draft", document=document, made_at=uow.clock.now()
    )
    store.add_plans(uow.connection, asked.id, versions)
    record_act(uow, system_actor(FOLLOWER), "signals.schedule_made", asked, {"plans": len(plans)})
