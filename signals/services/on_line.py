"""Who was on line how long: looked at each minute, told by month."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from city.works.database import Database
from signals.rules.maintenance.online import ZONE, Reporter, credited, rate, starts
from signals.store import networks as network_store
from signals.store import on_line as store
from signals.store import reporters

KEPT: Final = timedelta(days=3 * 366)


@dataclass(frozen=True, slots=True)
class MonthOnLine:
    """A signal's month: what is known of it and what is not."""

    signal: str
    title_zh: str
    title_en: str
    heard_s: float
    watched_s: float
    elapsed_s: float
    """Since somebody should tell of it: what is not watched of that is not known."""

    @property
    def rate(self) -> float | None:
        """Share of the time listened in which it was heard."""
        return rate(self.heard_s, self.watched_s)


def look_all(database: Database) -> None:
    """Look at every network that anybody reports of, and credit the time since the look before."""
    with database.read() as connection:
        found = reporters.networks(connection)
    for network_id in found:
        with database.unit_of_work() as uow:
            now = uow.wall.now()
            before_at = store.look(uow.connection, network_id, now)
            told = [
                Reporter(each.signal, each.added_at, each.heard_at)
                for each in reporters.of_network(uow.connection, network_id)
            ]
            store.credit(uow.connection, network_id, credited(told, before_at, now))
            store.forget(uow.connection, (now - KEPT).date())


def month(
    connection: Connection, network_id: UUID, first: date, now: datetime, name: str | None = None
) -> list[MonthOnLine]:
    """Give how a network's signals, or one, were on line in the month of a day.

    Signals that nobody tells of are left out: nothing is expected of them.
    """
    begins = first.replace(day=1)
    after = (begins + timedelta(days=32)).replace(day=1)
    kept = {each.signal: each for each in store.heard(connection, network_id, begins, after, name)}
    names = None if name is None else [name]
    since: dict[str, datetime] = {}
    for each in reporters.of_network(connection, network_id, names):
        since[each.signal] = min(since.get(each.signal, each.added_at), each.added_at)
    end_at = min(now, starts(after))
    found = []
    for signal, zh, en in network_store.titles(connection, network_id):
        if signal not in kept and signal not in since:
            continue
        told = kept.get(signal) or store.Heard(signal, 0.0, 0.0)
        from_at = max(starts(begins), since.get(signal, starts(begins)))
        elapsed_s = max((end_at - from_at).total_seconds(), told.watched_s)
        found.append(MonthOnLine(signal, zh, en, told.heard_s, told.watched_s, elapsed_s))
    return found


def today(now: datetime) -> date:
    """Give the street's day."""
    return now.astimezone(ZONE).date()


def together(rows: Sequence[MonthOnLine]) -> float | None:
    """Give the rate of several signals as one: seconds heard of seconds listened."""
    return rate(sum(each.heard_s for each in rows), sum(each.watched_s for each in rows))
