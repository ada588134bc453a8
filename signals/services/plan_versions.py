"""A plan from draft to street: drafted, checked, approved by somebody else, deployed, decided.

Each act is one transaction with its record. What is checked and approved is never edited: an edit
makes it a draft again, under its next revision. That only such plans reach a controller is the
database's rule as well as ours; the checker runs once more just before they do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Connection

from city.audit import record
from city.errors import Conflict, Forbidden, Invalid, NotFound
from city.people.actors import Actor
from city.works.database import UnitOfWork
from signals.rules.life.differences import Difference, differences
from signals.rules.life.outlook import mean_delay_s
from signals.rules.life.parts import plan_json
from signals.rules.model.documents import plans_from_json
from signals.rules.model.plans import Programme
from signals.rules.model.schemas import FORMAT
from signals.rules.safety.case import Case
from signals.rules.safety.checker import check_programme
from signals.rules.safety.profiles import profile_named
from signals.rules.safety.transitions import Method, change_plans
from signals.services import cabinets, networks, trials
from signals.store import plan_versions as store
from signals.store import running_plans, schedules

MOST_SHOWN: Final = 500
"""Violations that a report keeps; their counts are of all."""
_NAMED: Final = 20


def draft(
    uow: UnitOfWork,
    actor: Actor,
    network_id: UUID,
    *,
    title: str,
    document: JsonValue | None = None,
    signals: Sequence[str] | None = None,
    profile: str = "gb",
    note: str = "",
    origin: store.Origin = "person",
) -> store.VersionRecord:
    """Write a draft: of a document's plans, or of those in force at some signals.

    Raises
    ------
    Invalid
        Where neither or both are given, the profile is none, or a plan does not fit.
    """
    home = networks.network(uow.connection, network_id)
    profile_named(profile)
    if (document is None) == (signals is None):
        raise Invalid("must be given, or signals, and not both", field="document")
    if document is not None:
        plans = trials.read_plans(uow.connection, home.id, document)
    else:
        wanted = list(dict.fromkeys(signals or ()))
        networks.parts(uow.connection, home.id, wanted)
        running = networks.running(uow.connection, home.id, wanted)
        for name in wanted:
            if name not in running:
                raise Conflict(f"{name} runs no plan", field="signals")
        plans = {name: plan for name, (_, plan) in running.items()}
    if not plans:
        raise Invalid("must name a signal at least", field="signals")
    made = store.add_draft(
        uow.connection,
        home.id,
        title=title,
        note=note,
        profile=profile,
        signals=sorted(plans),
        document=_document(plans),
        origin=origin,
        at=uow.clock.now(),
        by=actor.subject,
    )
    found = find(uow.connection, made)
    _record(uow, actor, "signals.plan_drafted", found, {"origin": origin, "title": title})
    return found


def edit(
    uow: UnitOfWork,
    actor: Actor,
    version_id: UUID,
    document: JsonValue,
    *,
    revision: int,
    title: str | None = None,
    note: str | None = None,
    profile: str | None = None,
) -> store.VersionRecord:
    """Replace the plans of a draft, or of one that was only checked: it is a draft again.

    Raises
    ------
    Conflict
        Where it is approved already, or somebody else edited it meanwhile.
    """
    found = _of_status(uow, version_id, "draft", "checked")
    _require_revision(found, revision)
    wanted = found.profile if profile is None else profile_named(profile).name
    plans = trials.read_plans(uow.connection, found.network_id, document)
    if found.status == "checked":
        store.change(uow.connection, version_id, status="draft")
    store.change(
        uow.connection,
        version_id,
        document=_document(plans),
        signals=sorted(plans),
        profile=wanted,
        title=found.title if title is None else title,
        note=found.note if note is None else note,
        revision=revision + 1,
        edited_at=uow.clock.now(),
        edited_by=actor.subject,
    )
    _record(uow, actor, "signals.plan_edited", found, {"revision": revision + 1})
    return find(uow.connection, version_id)


def check(uow: UnitOfWork, actor: Actor, version_id: UUID, *, revision: int) -> store.VersionRecord:
    """Let the checker judge a draft and the model foretell it; safe, it counts as checked.

    An unsafe one stays a draft, with its report.
    """
    found = _of_status(uow, version_id, "draft", "checked")
    _require_revision(found, revision)
    tried = trials.assess(
        uow.connection,
        found.network_id,
        _plans(uow.connection, found),
        profile_named(found.profile),
    )
    report = tried.report.as_json()
    violations = report["violations"]
    report["violations"] = violations[:MOST_SHOWN] if isinstance(violations, list) else []
    predicted: dict[str, JsonValue] | None = None
    if tried.outlooks:
        predicted = {
            "before_s": _rounded(mean_delay_s(tried.before)),
            "after_s": _rounded(mean_delay_s(tried.outlooks)),
            "before": [each.as_json() for each in tried.before],
            "after": [each.as_json() for each in tried.outlooks],
        }
    safe = tried.report.safe
    store.change(
        uow.connection,
        version_id,
        status="checked" if safe else "draft",
        checked_at=uow.clock.now(),
        checked_by=actor.subject,
        checked_revision=revision,
        safe=safe,
        report=report,
        predicted=predicted,
    )
    _record(
        uow,
        actor,
        "signals.plan_checked",
        found,
        {"revision": revision, "safe": safe, "counts": report["counts"]},
    )
    return find(uow.connection, version_id)


def approve(
    uow: UnitOfWork, actor: Actor, version_id: UUID, *, revision: int
) -> store.VersionRecord:
    """Approve a checked plan as it stands.

    Raises
    ------
    Forbidden
        Where the approver wrote it or edited it last: four eyes.
    Conflict
        Where it is not checked, or was edited meanwhile.
    """
    found = _of_status(uow, version_id, "checked")
    _require_revision(found, revision)
    if actor.subject in {found.drafted_by, found.edited_by}:
        raise Forbidden("Somebody else must approve what you have drawn.", reason="four-eyes")
    store.change(
        uow.connection,
        version_id,
        status="approved",
        approved_at=uow.clock.now(),
        approved_by=actor.subject,
        approved_revision=revision,
    )
    _record(uow, actor, "signals.plan_approved", found, {"revision": revision})
    return find(uow.connection, version_id)


def deploy(
    uow: UnitOfWork, actor: Actor, version_id: UUID, *, revision: int
) -> store.VersionRecord:
    """Give an approved plan to its signals' controllers.

    The checker judges it once more, and the change from what each controller runs.

    Raises
    ------
    Conflict
        Where it is not approved, is unsafe after all, or no safe change leads to it; the field
        names the signal.
    """
    found = _of_status(uow, version_id, "approved")
    _require_revision(found, revision)
    _require_unscheduled(uow.connection, found)
    _give(uow, actor, found)
    return find(uow.connection, version_id)


def run_by_schedule(uow: UnitOfWork, actor: Actor, version_id: UUID) -> None:
    """Give a schedule's plan to its signals' controllers, for the first time or again.

    Raises
    ------
    Conflict
        As `deploy`; nobody approves it anew, for it is as it was approved.
    """
    _give(uow, actor, _of_status(uow, version_id, "approved", "deployed", "measured", "kept"))


def _give(uow: UnitOfWork, actor: Actor, found: store.VersionRecord) -> None:
    """Give a plan to its controllers, checked once more, by a safe change."""
    version_id = found.id
    plans = _plans(uow.connection, found)
    names = list(plans)
    cases = networks.cases(uow.connection, found.network_id, names, profile_named(found.profile))
    running = networks.running(uow.connection, found.network_id, names, lock=True)
    new = []
    for name, plan in plans.items():
        _require_safe(cases[name], plan)
        old = running.get(name)
        change = None if old is None else change_of(cases[name], old[1], plan)
        new.append(
            running_plans.NewRun(
                name, "deployed", plan_json(plan), version_id=version_id, change=change
            )
        )
    # Once they are deployed, the record must not say that it is an earlier instant.
    at = max([uow.clock.now(), *(row.from_at for row, _ in running.values())])
    if found.status == "approved":
        store.change(
            uow.connection,
            version_id,
            status="deployed",
            deployed_at=at,
            deployed_by=actor.subject,
        )
    running_plans.switch(uow.connection, found.network_id, new, at=at, by=actor.subject)
    cabinets.send(uow, actor, found.network_id, names, profile=found.profile)
    _record(uow, actor, "signals.plan_deployed", found, _named(names))


def _require_unscheduled(connection: Connection, found: store.VersionRecord) -> None:
    """Refuse to change by hand what a schedule would change back within a minute."""
    if schedules.in_force(connection, found.network_id, found.signals):
        raise Conflict("a schedule is in force there: end it first", field="signals")


def measure(
    uow: UnitOfWork, actor: Actor, version_id: UUID, measured: Mapping[str, JsonValue]
) -> store.VersionRecord:
    """Keep what was measured before and after a deployed plan; a later one takes its place.

    Its whole ``effect`` is kept with it, and not on the audit record.
    """
    found = _of_status(uow, version_id, "deployed", "measured")
    store.change(
        uow.connection,
        version_id,
        status="measured",
        measured=dict(measured),
        measured_at=uow.clock.now(),
        measured_by=actor.subject,
    )
    told = {name: value for name, value in measured.items() if name != "effect"}
    _record(uow, actor, "signals.plan_measured", found, told)
    return find(uow.connection, version_id)


def keep(uow: UnitOfWork, actor: Actor, version_id: UUID, *, reason: str) -> store.VersionRecord:
    """Decide that a deployed plan stays."""
    found = _of_status(uow, version_id, "deployed", "measured")
    _decide(uow, actor, version_id, "kept", reason)
    _record(uow, actor, "signals.plan_kept", found, {"reason": reason})
    return find(uow.connection, version_id)


def revert(uow: UnitOfWork, actor: Actor, version_id: UUID, *, reason: str) -> store.VersionRecord:
    """Give the controllers again what they ran before a deployed plan.

    Raises
    ------
    Conflict
        Where another plan runs at one of its signals since, nothing ran there before, or what ran
        is unsafe under the plan's profile: then deploy another plan instead.
    """
    found = _of_status(uow, version_id, "deployed", "measured", "kept")
    _require_unscheduled(uow.connection, found)
    running = networks.running(uow.connection, found.network_id, found.signals, lock=True)
    for name in found.signals:
        here = running.get(name)
        if here is None or here[0].version_id != version_id:
            raise Conflict(f"{name} runs another plan since", field="signals")
    began_at = running[found.signals[0]][0].from_at
    earlier = running_plans.before(uow.connection, found.network_id, found.signals, began_at)
    for name in found.signals:
        if name not in earlier:
            raise Conflict(f"{name} ran no plan before", field="signals")
    parts = networks.parts(uow.connection, found.network_id, found.signals)
    cases = networks.cases(
        uow.connection, found.network_id, found.signals, profile_named(found.profile)
    )
    new = []
    for name in found.signals:
        back = plans_from_json({"plans": [earlier[name].programme]}, parts[name])[0]
        _require_safe(cases[name], back)
        new.append(
            running_plans.NewRun(
                name,
                "restored",
                earlier[name].programme,
                restores=earlier[name].id,
                change=change_of(cases[name], running[name][1], back),
            )
        )
    at = max(uow.clock.now(), began_at)
    running_plans.switch(uow.connection, found.network_id, new, at=at, by=actor.subject)
    cabinets.send(uow, actor, found.network_id, found.signals, profile=found.profile)
    _decide(uow, actor, version_id, "reverted", reason)
    _record(uow, actor, "signals.plan_reverted", found, {"reason": reason, **_named(found.signals)})
    return find(uow.connection, version_id)


def withdraw(
    uow: UnitOfWork, actor: Actor, version_id: UUID, *, reason: str
) -> store.VersionRecord:
    """Take back a plan that was never deployed."""
    found = _of_status(uow, version_id, "draft", "checked", "approved")
    _decide(uow, actor, version_id, "withdrawn", reason)
    _record(uow, actor, "signals.plan_withdrawn", found, {"was": found.status, "reason": reason})
    return find(uow.connection, version_id)


def find(connection: Connection, version_id: UUID) -> store.VersionRecord:
    """Give a version; NotFound where there is none."""
    found = store.record_of(connection, version_id)
    if found is None:
        raise NotFound("no such plan", field="id")
    return found


def plans_of(connection: Connection, found: store.VersionRecord) -> dict[str, Programme]:
    """Give a version's plans by signal."""
    return _plans(connection, found)


def compared(connection: Connection, found: store.VersionRecord) -> tuple[Difference, ...]:
    """Tell how a version differs from what its signals run, or ran before it was deployed."""
    return differences(before_of(connection, found), _plans(connection, found))


def before_of(connection: Connection, found: store.VersionRecord) -> dict[str, Programme]:
    """Give what a version's signals run, or ran before it was deployed; those with a plan."""
    parts = networks.parts(connection, found.network_id, found.signals)
    mine = running_plans.of_version(connection, found.id)
    if mine:
        began_at = next(iter(mine.values())).from_at
        rows = running_plans.before(connection, found.network_id, found.signals, began_at)
    else:
        rows = running_plans.in_force(connection, found.network_id, found.signals)
    return {
        name: plans_from_json({"plans": [row.programme]}, parts[name])[0]
        for name, row in rows.items()
    }


def _plans(connection: Connection, found: store.VersionRecord) -> dict[str, Programme]:
    document = store.document_of(connection, found.id)
    return trials.read_plans(connection, found.network_id, document)


def _document(plans: Mapping[str, Programme]) -> dict[str, JsonValue]:
    return {"format": FORMAT, "plans": [plan_json(plans[name]) for name in sorted(plans)]}


def _require_safe(case: Case, plan: Programme) -> None:
    violations = check_programme(case, plan).violations
    if violations:
        first = violations[0]
        raise Conflict(
            f"{case.junction.name} is unsafe: {first.rule.value}, {first.what}", field="signals"
        )


def change_of(case: Case, old: Programme, new: Programme) -> dict[str, JsonValue]:
    """Give how a controller gets from one plan to the other.

    A plan that is unsafe itself is left by way of the start-up sequence, all red, for no change
    out of it can be proven safe.
    """
    if check_programme(case, old).violations:
        return {"method": "start_up", "bridge_s": None, "in_step_s": None}
    # An actuated plan shows the same lamps in the same order: only their lengths are open.
    found = change_plans(
        case, replace(old, control="static"), replace(new, control="static"), Method.DWELL
    )
    if found is None:
        raise Conflict(f"no safe change leads to the plan of {case.junction.name}", field="signals")
    return {
        "method": found.method.value,
        "bridge_s": found.bridge_s,
        "in_step_s": round(found.in_step_s, 3),
    }


def _decide(
    uow: UnitOfWork, actor: Actor, version_id: UUID, status: store.Status, reason: str
) -> None:
    values: dict[str, Any] = {
        "status": status,
        "decided_at": uow.clock.now(),
        "decided_by": actor.subject,
        "decided_reason": reason,
    }
    store.change(uow.connection, version_id, **values)


def _of_status(uow: UnitOfWork, version_id: UUID, *wanted: store.Status) -> store.VersionRecord:
    found = store.record_of(uow.connection, version_id, lock=True)
    if found is None:
        raise NotFound("no such plan", field="id")
    if found.status not in wanted:
        raise Conflict(f"is {found.status}, not {' or '.join(wanted)}", field="id")
    return found


def _require_revision(found: store.VersionRecord, revision: int) -> None:
    if found.revision != revision:
        raise Conflict(f"was edited meanwhile: it is at {found.revision}", field="revision")


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _named(names: Sequence[str]) -> dict[str, JsonValue]:
    return {"signals": list[JsonValue](names[:_NAMED]), "count": len(names)}


def _record(
    uow: UnitOfWork,
    actor: Actor,
    action: str,
    version: store.VersionRecord,
    detail: Mapping[str, JsonValue],
) -> None:
    what: dict[str, JsonValue] = {"number": version.number, **detail}
    record(uow, actor, action, "signal_plan", str(version.id), what)
