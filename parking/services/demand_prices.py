"""Letting a demand rule propose new prices for a tariff: a draft, never more than that."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import JsonValue
from sqlalchemy import Connection

from city.errors import Invalid, NotFound
from city.identifiers import TariffId
from city.people.actors import Actor
from city.works.database import UnitOfWork
from parking.rules.tariffs.demand import (
    Occupancy,
    PriceChange,
    observed,
    propose,
    read_demand_rule,
)
from parking.rules.tariffs.plan import read_tariff
from parking.services.tariff_drafts import by_code, draft
from parking.store import demand
from parking.store import tariff_drafts as store
from parking.store.tariffs import in_force


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a rule proposes; no version where nothing changes."""

    currency: str
    version: store.VersionRecord | None
    changes: tuple[PriceChange, ...]


def propose_draft(
    uow: UnitOfWork,
    actor: Actor,
    code: str,
    rule: JsonValue,
    occupancies: Mapping[tuple[str, str], Occupancy | None],
) -> Proposal:
    """Draft the prices that a demand rule asks for, from those in force.

    Parameters
    ----------
    actor : Actor
        Who lets it propose: somebody else must approve, as with any draft.
    rule : JsonValue
        As `read_demand_rule` takes it.
    occupancies : Mapping
        By schedule and band; None: as the figures counted it at the tariff's facilities, over as
        many days as the rule asks for between two changes.

    Raises
    ------
    NotFound
        Where there is no such tariff, or none of its versions is in force.
    Invalid
        Where the rule is none (``rule.…``), or cannot be applied to this tariff.
    """
    try:
        read = read_demand_rule(rule)
    except Invalid as error:
        raise Invalid(error.message, field=f"rule.{error.field}") from None
    home = by_code(uow.connection, code)
    now = uow.clock.now()
    current = in_force(uow.connection, home.id, now)
    changed_at = store.latest_published_from(uow.connection, home.id)
    if current is None or changed_at is None:
        raise NotFound("no tariff in force under this code", field="code")
    document: JsonValue = json.loads(current.document)
    span = (now - timedelta(days=read.every_days), now)
    seen = _seen(uow.connection, home.id, document, occupancies, span)
    for (schedule, band), occupancy in seen.items():
        if occupancy.occupied_s > occupancy.open_s:
            raise Invalid(f"is above the open time in {schedule}/{band}", field="occupied_s")
    # a change that is announced already, and yet to begin, is younger than any interval
    days_since = (now - changed_at).days
    proposed, changes = propose(document, read, seen, days_since)
    currency = str(document["currency"]) if isinstance(document, dict) else ""
    if not changes:
        return Proposal(currency, None, ())
    note = f"{read.name.zh} / {read.name.en}"
    made = draft(uow, actor, code, proposed, note=note, origin="demand_rule")
    return Proposal(currency, made, changes)


def _seen(
    connection: Connection,
    tariff_id: TariffId,
    document: JsonValue,
    occupancies: Mapping[tuple[str, str], Occupancy | None],
    span: tuple[datetime, datetime],
) -> dict[tuple[str, str], Occupancy]:
    """Give every band's occupancy: as it was given, else as it was counted in a span of time."""
    known = {name: each for name, each in occupancies.items() if each is not None}
    wanted: defaultdict[str, list[str]] = defaultdict(list)
    for schedule, band in occupancies.keys() - known.keys():
        wanted[schedule].append(band)
    if not wanted:
        return known
    tariff = read_tariff(document)
    hours = demand.hours_of_tariff(connection, tariff_id, *span)
    for schedule, bands in wanted.items():
        known |= observed(tariff, schedule, bands, hours)
    return known
