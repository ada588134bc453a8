"""Counts of a network: read row by row, the good kept, the bad returned."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from city.audit import record
from city.errors import Invalid
from city.people.actors import Actor
from city.works.database import UnitOfWork
from signals.adapters.count_files import Language, read_counts, template_csv, template_workbook
from signals.rules.counts.gaps import Gap, gaps_of
from signals.rules.counts.places import Legs, legs_of
from signals.rules.counts.tables import CountTable
from signals.services import networks
from signals.store import counts as store


@dataclass(frozen=True)
class Imported:
    """What became of a table."""

    table: CountTable
    gaps: tuple[Gap, ...]


def import_counts(uow: UnitOfWork, actor: Actor, network_id: UUID, content: bytes) -> Imported:
    """Keep the rows of a table that can be used; a movement's day gives way to a later table's.

    Raises
    ------
    Invalid
        Where the file is no table, or none of its rows can be used.
    """
    home = networks.network(uow.connection, network_id)
    table = read_counts(content, places(uow.connection, home.id))
    if not table.legs:
        if not table.refused:
            raise Invalid("has no rows", field="content")
        first = table.refused[0]
        raise Invalid(
            f"no row can be used; row {first.row}: {first.field}: {first.why}", field="content"
        )
    store.keep(uow.connection, home.id, table.legs, at=uow.clock.now(), by=actor.subject)
    record(
        uow,
        actor,
        "signals.counts_imported",
        "signal_network",
        str(home.id),
        {"rows": table.rows, "refused": len(table.refused), "days": len(table.legs)},
    )
    return Imported(table, gaps_of(table.legs))


def places(connection: Connection, network_id: UUID) -> dict[str, Legs]:
    """Give the legs of a network's junctions, as counts name them."""
    found: dict[str, Legs] = {}
    for part in networks.parts(connection, network_id).values():
        found |= legs_of(part)
    return found


def template(
    connection: Connection, network_id: UUID, language: Language, *, workbook: bool
) -> bytes:
    """Give an empty table for a network."""
    known = places(connection, networks.network(connection, network_id).id)
    return template_workbook(known, language) if workbook else template_csv(language)
