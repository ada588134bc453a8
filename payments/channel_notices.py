"""The inbox of what channels tell us: unique by channel and event."""

import hashlib
from typing import Final

from sqlalchemy import Column, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects import postgresql

from city.works.database import UnitOfWork
from payments.rules.channels import Channel, Notice
from payments.store import tables

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


def keep(
    uow: UnitOfWork, channel: Channel, notice: Notice, body: bytes, *, refused: str = ""
) -> bool:
    """Keep an event, and tell whether it is to be acted upon: it was not taken before.

    Two of one event at once: the second waits for the first to end. One that was refused is acted
    upon when it comes again.

    Parameters
    ----------
    uow : UnitOfWork
        The one that acts upon it.
    channel, notice, body
        What came; of the body only a digest is kept.
    refused : str
        Why nothing came of it; empty: it is taken.
    """
    table, now = CHANNEL_NOTICE, uow.wall.now()
    verdict = "refused" if refused else "taken"
    written = postgresql.insert(table).values(
        channel=channel.value,
        event_id=notice.event_id[:_LONGEST_EVENT],
        order_no=notice.order_no,
        refund_no=notice.refund_no,
        digest=hashlib.sha256(body).digest(),
        first_at=now,
        last_at=now,
        verdict=verdict,
        reason=refused,
    )
    kept = uow.connection.execute(
        written.on_conflict_do_update(
            index_elements=[table.c.channel, table.c.event_id],
            set_={
                "last_at": now,
                "times": table.c.times + 1,
                "verdict": verdict,
                "reason": refused,
            },
            where=table.c.verdict == "refused",
        ).returning(table.c.times)
    )
    return kept.one_or_none() is not None
