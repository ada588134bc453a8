"""The inbox of what channels tell us: unique by channel and event.

What is acknowledged is kept first, with what it says, and settled right after
(`payments.channel_hearing`): a row that waits is a promise, whatever dies meanwhile.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Column, Connection, Integer, LargeBinary, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from city.money import Money
from city.time import parse_rfc3339, rfc3339
from city.works.database import UnitOfWork
from city.works.rows import as_rows
from payments.rules.channels import Answer, Channel, Fate, Notice
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
    Column("said", JSONB),
)
WAKE: Final = "payments_notices"
"""What is notified when something waits to be settled."""
_LONGEST_EVENT: Final = 200
# In one order: of two that bring the same events, one waits for the other and never both.
# A payment that agrees with its order in all that `rules.channel_orders.heard` compares is not
# given back: nearly each does, and reading their orders cost more than keeping what was told. The
# rule itself judges each other one here, and every one again before any money moves.
_KEEP: Final = text(
    "with kept as ("
    "insert into payments.channel_notice as n"
    " (channel, event_id, order_no, refund_no, digest, first_at, last_at, verdict, said)"
    " select r.channel, r.event_id, r.order_no, r.refund_no, decode(r.digest, 'hex'), :now, :now,"
    "  case when r.said is null then 'taken' else 'waiting' end, r.said"
    " from jsonb_to_recordset(cast(:rows as jsonb)) as r(channel text, event_id text,"
    "  order_no text, refund_no text, digest text, said jsonb)"
    " order by r.channel, r.event_id"
    " on conflict (channel, event_id) do update set last_at = :now, times = n.times + 1,"
    "  verdict = excluded.verdict, reason = '', said = excluded.said"
    " where n.verdict = 'refused'"
    " returning channel, event_id, order_no, said, pg_notify(:wake, ''))"
    " select k.channel, k.event_id from kept k"
    " left join lateral (select * from payments.channel_order c where c.order_no = k.order_no"
    "  offset 0) o on true"
    " where (o.channel = k.channel and k.said ->> 'fate' = 'paid'"
    "  and k.said ->> 'merchant' = o.merchant and k.said ->> 'channel_no' <> ''"
    "  and o.channel_no in ('', k.said ->> 'channel_no')"
    "  and k.said -> 'amount' = jsonb_build_object("
    "   'minor', o.amount_minor, 'currency', o.currency)) is not true"
)
_DECIDE: Final = text(
    "update payments.channel_notice n set verdict = r.verdict, reason = r.reason, said = null"
    " from jsonb_to_recordset(cast(:rows as jsonb))"
    "  as r(channel text, event_id text, verdict text, reason text)"
    " where (n.channel, n.event_id) = (r.channel, r.event_id)"
)
_CLAIM: Final = text(
    "select channel, event_id, order_no, encode(digest, 'hex') as digest, said, first_at"
    " from payments.channel_notice where verdict = 'waiting'"
    " order by first_at, channel, event_id limit :most for update skip locked"
)
_HOLD: Final = text(
    "select 1 from payments.channel_notice"
    " where channel = :channel and event_id = :event_id and verdict = 'waiting' for update"
)


class Verdict(StrEnum):
    """What became of a notification that its channel signed."""

    WAITING = "waiting"
    """Acknowledged, and to be settled within a moment."""
    TAKEN = "taken"
    """Acted upon."""
    REFUSED = "refused"
    """Nothing came of it, and its channel was told so: it may come again and be right."""
    QUARANTINED = "quarantined"
    """Acknowledged, and nothing could come of it: for people, who find its reason in the audit."""


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
        SHA-256 of its body, hexadecimal: of the body nothing else is kept for long.
    """

    channel: Channel
    notice: Notice
    digest: str

    @property
    def event(self) -> tuple[Channel, str]:
        """What it is counted once by."""
        return self.channel, self.notice.event_id[:_LONGEST_EVENT]

    def __hash__(self) -> int:
        """Hash it by its event: what it says in all is compared where two of them meet."""
        return hash(self.notice.event_id)

    @property
    def waits(self) -> bool:
        """Whether it is settled after it was acknowledged, as what is about a payment is."""
        return not self.notice.refund_no and isinstance(self.notice.answer, Answer)


def keep(uow: UnitOfWork, told: Collection[Told]) -> set[tuple[Channel, str]]:
    """Keep events; give those not taken before that do not plainly agree with an order of ours.

    Those about payments wait, and wake who settles once this is committed; of those about refunds
    it is kept that they were taken. Two of one event at once: the second waits for the first to
    end. One that was refused counts anew when it comes again. One statement.

    Parameters
    ----------
    uow : UnitOfWork
        The one that says by `decide` of which nothing comes.
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
            "said": as_said(each.notice.answer) if each.waits else None,
        }
        for each in told
    ]
    given = {"rows": as_rows(rows), "now": uow.wall.now(), "wake": WAKE}
    return {
        (Channel(channel), event_id) for channel, event_id in uow.connection.execute(_KEEP, given)
    }


def decide(connection: Connection, verdicts: Iterable[tuple[Told, Verdict, str]]) -> None:
    """Keep what came of some events, and forget what they said: one statement."""
    rows = [
        {
            "channel": each.channel.value,
            "event_id": each.event[1],
            "verdict": verdict.value,
            "reason": reason,
        }
        for each, verdict, reason in verdicts
    ]
    if rows:
        connection.execute(_DECIDE, {"rows": as_rows(rows)})


def claim(connection: Connection, most: int) -> dict[Told, float]:
    """Hold events that wait, those that came first before; not what somebody else holds.

    Parameters
    ----------
    connection : Connection
        They are held until its transaction ends.
    most : int
        How many at most.

    Returns
    -------
    dict
        What was told, each with the instant at which it came, in seconds since 1970.
    """
    return {
        Told(
            Channel(row.channel),
            Notice(row.event_id, row.order_no, "", answer_of(row.said)),
            row.digest,
        ): row.first_at.timestamp()
        for row in connection.execute(_CLAIM, {"most": most}).all()
    }


def hold(connection: Connection, told: Told) -> bool:
    """Hold one event; False where it waits no more."""
    row = {"channel": told.channel.value, "event_id": told.event[1]}
    return connection.execute(_HOLD, row).scalar_one_or_none() is not None


def as_said(answer: object) -> dict[str, Any]:
    """Write what a notification says of a payment as it is kept for as long as it waits."""
    if not isinstance(answer, Answer):
        raise TypeError("what waits is about a payment")
    return {
        "fate": answer.fate.value,
        "channel_no": answer.channel_no,
        "amount": None if answer.amount is None else answer.amount.as_json(),
        "merchant": answer.merchant,
        "paid_at": None if answer.paid_at is None else rfc3339(answer.paid_at),
        "reason": answer.reason,
    }


def answer_of(said: Mapping[str, Any]) -> Answer:
    """Read what `as_said` wrote."""
    return Answer(
        Fate(said["fate"]),
        said["channel_no"],
        None if said["amount"] is None else Money.from_json(said["amount"]),
        said["merchant"],
        None if said["paid_at"] is None else parse_rfc3339(said["paid_at"], "paid_at"),
        said["reason"],
    )
