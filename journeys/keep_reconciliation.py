"""What the finance desk does about a channel's bill: hold it against ours, resolve what differs."""

from datetime import date
from uuid import UUID

from city.audit import record
from city.errors import Invalid
from city.people.actors import Actor
from city.people.roles import Role
from city.works.database import UnitOfWork
from journeys.settle_channels import settle_handed_in
from payments import reconciling
from payments.rules.channel_bills.lines import CHINA
from payments.rules.channel_bills.reading import read_bill
from payments.rules.channel_registry import TRAITS
from payments.rules.channels import Channel
from payments.rules.reconciling import KeptDifference, Resolution
from payments.store.reconciliations import Run

SECOND = (Role.FINANCE, Role.ADMINISTRATOR)


def reconcile_channel(
    uow: UnitOfWork, actor: Actor, channel: Channel, content: bytes, day: date | None
) -> Run:
    """Hold a channel's bill against our record; Forbidden, Invalid as `reconciling.run`.

    One that nobody can fetch is taken over into the ledger then, where nothing about its day is
    open (`settle_handed_in`).
    """
    actor.require(Role.FINANCE)
    done = held_against(uow, actor, channel, content, day)
    if TRAITS[channel].bill_handed_in:
        settle_handed_in(uow, actor, channel, read_bill(channel, content, day), done.day)
    return done


def held_against(
    uow: UnitOfWork, actor: Actor, channel: Channel, content: bytes | None, day: date | None
) -> Run:
    """Hold a bill, however it came, against our record; on record.

    Raises
    ------
    Invalid
        Where the day has not begun: nobody has paid on it, and nothing agrees. As
        `reconciling.run`.
    """
    if day is not None and day > uow.wall.now().astimezone(CHINA).date():
        raise Invalid("has not begun yet", field="day")
    done = reconciling.run(uow, channel, content, day, actor.subject)
    record(
        uow,
        actor,
        "payments.bill_reconciled",
        "reconciliation",
        str(done.id),
        {
            "channel": done.channel,
            "day": done.day.isoformat(),
            "sha256": done.sha256,
            "differences": done.summary["differences"],
            "quarantined": done.summary["quarantined"],
        },
    )
    return done


def propose_resolution(
    uow: UnitOfWork, actor: Actor, difference_id: UUID, resolution: Resolution, note: str
) -> KeptDifference:
    """Propose how a difference ends."""
    actor.require(Role.FINANCE)
    after = reconciling.propose(uow, difference_id, resolution, note, actor.subject)
    _record(uow, actor, after, "payments.difference_proposed")
    return after


def decide_resolution(
    uow: UnitOfWork, actor: Actor, difference_id: UUID, *, approve: bool
) -> KeptDifference:
    """Approve a proposal or send it back: never who proposed it."""
    actor.require(*SECOND)
    after = reconciling.decide(uow, difference_id, approve=approve, by=actor.subject)
    _record(uow, actor, after, "payments.difference_decided")
    return after


def resolve_difference(uow: UnitOfWork, actor: Actor, difference_id: UUID) -> KeptDifference:
    """Do what was approved."""
    actor.require(Role.FINANCE)
    after = reconciling.resolve(uow, difference_id, actor.subject)
    _record(uow, actor, after, "payments.difference_resolved")
    return after


def _record(uow: UnitOfWork, actor: Actor, case: KeptDifference, action: str) -> None:
    record(
        uow,
        actor,
        action,
        "difference",
        str(case.id),
        {
            "state": case.state.value,
            "resolution": case.resolution.value if case.resolution else None,
            "effect": case.effect.as_json(),
            "entry_id": str(case.entry_id) if case.entry_id else None,
        },
    )
