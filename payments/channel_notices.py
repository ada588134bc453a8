"""The inbox of what channels tell us: unique by channel and event."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Column, Connection, Integer, LargeBinary, Table, Text, text

from city.works.database import UnitOfWork
from payments.rules.channels import Channel, Notice
from payments.store import tables
from payments.store.tables import as_rows

CHANNEL_NOTICE: Final = Table(
    "channel_notice",
    tables.metadata,
    Column("channel", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("order_no", Text, nullable=False),
    Column("refund_no", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("first_at", tables.INSTANT, nullable=False),
    Column("last_at", tables.INSTANT, nullable=False),
    Column("times", Integer, nullable=False, server_default="1"),
    Column("verdict", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
)
_LONGEST_EVENT: Final = 200
# In one order: of two that bring the same events, one waits for the other and never both.
_KEEP: Final = text(
    "insert into payments.channel_notice as n"
    " (channel, event_id, order_no, refund_no, digest, first_at, last_at, verdict)"
    " select r.channel, r.event_id, r.order_no, r.refund_no, decode(r.digest, 'hex'), :now, :now,"
    "  'taken'"
    " from jsonb_to_recordset(cast(:rows as jsonb)) as r(channel text, event_id text,"
    "  order_no text, refund_no text, digest text)"
    " order by r.channel, r.event_id"
    " on conflict (channel, event_id) do update set last_at = :now, times = n.times + 1,"
    "  verdict = 'taken', reason = '' where n.verdict = 'refused'"
    " returning channel, event_id"
)
_REFUSE: Final = text(
    "update payments.channel_notice n set verdict = 'refused', reason = r.reason"
    " from jsonb_to_recordset(cast(:rows as jsonb)) as r(channel text, event_id text, reason text)"
    " where (n.channel, n.event_id) = (r.channel, r.event_id)"
)


@dataclass(frozen=True, slots=True)
class Told:
    """A notification that its channel signed.

    Parameters
    ----------
    channel : Channel
        Whose it is.
    notice : Notice
        What it says.
    digest : str
        SHA-256 of its body, hexadecimal: of the body nothing else is kept.
    """

    channel: Channel
    notice: Notice
    digest: str

    @property
    def event(self) -> tuple[Channel, str]:
        """What it is counted once by."""
        return self.channel, self.notice.event_id[:_LONGEST_EVENT]


def keep(uow: UnitOfWork, told: Collection[Told]) -> frozenset[tuple[Channel, str]]:
    """Keep events, and give those that are to be acted upon: they were not taken before.

    Two of one event at once: the second waits for the first to end. One that was refused is acted
    upon when it comes again. One statement.

    Parameters
    ----------
    uow : UnitOfWork
        The one that acts upon them, and says by `refuse` of which nothing came.
    told : collection of Told
        Each of another event.
    """
    rows = [
        {
            "channel": each.channel.value,
            "event_id": each.event[1],
            "order_no": each.notice.order_no,
            "refund_no": each.notice.refund_no,
            "digest": each.digest,
        }
        for each in told
    ]
    found = uow.connection.execute(_KEEP, {"rows": as_rows(rows), "now": uow.wall.now()})
    return frozenset((Channel(row.channel), row.event_id) for row in found)


def refuse(connection: Connection, refused: Iterable[tuple[Told, str]]) -> None:
    """Keep why nothing came of some events: one statement."""
    rows = [
        {"channel": each.channel.value, "event_id": each.event[1], "reason": reason}
        for each, reason in refused
    ]
    connection.execute(_REFUSE, {"rows": as_rows(rows)})
