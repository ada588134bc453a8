"""The ledger: writing entries, finding them, and balances."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import (
    Connection,
    RowMapping,
    Select,
    select,
    text,
    tuple_,
)

from city.identifiers import BillId
from city.money import Money
from city.works.rows import as_rows
from payments.rules.ledger import Account, AccountKind, Entry, EntryKind, Posting
from payments.store import day_sums
from payments.store.bills import LARGEST_PAGE
from payments.store.spans import Span
from payments.store.tables import account, entry, posting

_ACCOUNTS: Final = text(
    "insert into payments.account (code, kind, holder, opened_at)"
    " select r.code, r.kind, r.holder, r.opened_at"
    " from jsonb_to_recordset(cast(:rows as jsonb)) as r(code text, kind text, holder text,"
    "  opened_at timestamptz) on conflict do nothing"
)
_ENTRIES: Final = text(
    "insert into payments.entry (id, at, kind, subject, reverses, reason, written_by, happened_at)"
    " select r.id, greatest(r.at, closed.at), r.kind, r.subject, r.reverses, r.reason, r.by,"
    "  case when closed.at > r.at then r.at end"
    " from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, at timestamptz, kind text,"
    "  subject uuid, reverses uuid, reason text, by text)"
    " cross join (select max(until_at) as at from payments.period) closed"
    " returning id, at"
)
_POSTINGS: Final = text(
    "insert into payments.posting (entry_id, place, account, minor, currency, at)"
    " select r.entry_id, r.place, r.account, r.minor, r.currency, r.at"
    " from jsonb_to_recordset(cast(:rows as jsonb)) as r(entry_id uuid, place smallint,"
    "  account text, minor bigint, currency text, at timestamptz)"
)


def add_entry(connection: Connection, written: Entry) -> datetime:
    """Write an entry with its postings, as `add_entries`; give the date that it stands at."""
    return add_entries(connection, (written,))[written.id]


def add_entries(connection: Connection, written: Collection[Entry]) -> dict[UUID, datetime]:
    """Write entries with their postings; accounts are opened on the way. Three statements.

    One that happened in a closed period stands at the beginning of the open one, and says when it
    happened. Closing a period waits for those that are writing, and they for it, so that the
    statement sees every period that is closed.

    Returns
    -------
    dict
        The date that each stands at, by its id.
    """
    if not written:
        return {}
    accounts = {p.account.code: p.account for each in written for p in each.postings}
    opened_at = min(each.at for each in written)
    opened = [
        {"code": code, "kind": of.kind.value, "holder": of.holder, "opened_at": opened_at}
        # Always in one order: two that open the same ones do not wait for each other.
        for code, of in sorted(accounts.items())
    ]
    connection.execute(_ACCOUNTS, {"rows": as_rows(opened)})
    entries = [
        {
            "id": each.id,
            "at": each.at,
            "kind": each.kind.value,
            "subject": each.subject,
            "reverses": each.reverses,
            "reason": each.reason,
            "by": each.by,
        }
        for each in written
    ]
    found = connection.execute(_ENTRIES, {"rows": as_rows(entries)})
    stands_at: dict[UUID, datetime] = {row.id: row.at for row in found}
    postings = [
        {
            "entry_id": each.id,
            "place": place,
            "account": posted.account.code,
            "minor": posted.amount.minor,
            "currency": posted.amount.currency,
            "at": stands_at[each.id],
        }
        for each in written
        for place, posted in enumerate(each.postings)
    ]
    connection.execute(_POSTINGS, {"rows": as_rows(postings)})
    return stands_at


def find_entry(connection: Connection, entry_id: UUID, *, lock: bool = False) -> Entry | None:
    """Give an entry with its postings; with `lock` nobody else reverses it meanwhile."""
    query = select(entry).where(entry.c.id == entry_id)
    if lock:
        query = query.with_for_update()
    heads = connection.execute(query).mappings().all()
    return next(iter(_with_postings(connection, heads)), None)


def entries_about(connection: Connection, subjects: Collection[UUID]) -> list[Entry]:
    """Give all entries about some facts, by their dates; two statements for each 500 of them."""
    query = (
        select(entry)
        .where(entry.c.subject.in_(list(subjects)))
        .order_by(entry.c.at, entry.c.id)
        .limit(LARGEST_PAGE)
    )
    heads = connection.execute(query).mappings().all()
    found = _with_postings(connection, heads)
    while len(heads) == LARGEST_PAGE:
        last = tuple_(entry.c.at, entry.c.id) > (heads[-1]["at"], heads[-1]["id"])
        heads = connection.execute(query.where(last)).mappings().all()
        found += _with_postings(connection, heads)
    return found


_BILL_OF: Final = text(
    "select b.id from payments.bill b where b.id = :subject"
    " union all select p.bill_id from payments.payment p where p.id = :subject"
    " union all select p.bill_id from payments.penalty p where p.id = :subject"
    " union all select a.bill_id from payments.adjustment a where a.id = :subject"
    " union all select w.bill_id from payments.write_off w where w.id = :subject"
    " union all select m.bill_id from payments.arrears_move m where m.id = :subject"
    " union all select o.bill_id from payments.channel_order o where o.id = :subject"
    " union all select o.bill_id from payments.card_movement m"
    "  join payments.channel_order o on o.order_no = m.reference where m.id = :subject"
    " union all select s.bill_id from payments.order_share s where s.id = :subject"
    " union all select coalesce(o.bill_id, s.bill_id) from payments.channel_refund r"
    "  join payments.channel_order o on o.id = r.order_id"
    "  left join payments.order_share s on s.id = r.share_id where r.id = :subject limit 1"
)


def bill_of_subject(connection: Connection, subject: UUID) -> BillId | None:
    """Give the bill that a fact of the ledger belongs to: by primary keys, one statement."""
    found = connection.execute(_BILL_OF, {"subject": subject}).scalar_one_or_none()
    return None if found is None else BillId(found)


@dataclass(frozen=True, slots=True)
class Line:
    """One posting on an account, with what its entry says."""

    entry_id: UUID
    place: int
    at: datetime
    happened_at: datetime | None
    kind: EntryKind
    subject: UUID
    amount: Money
    reason: str
    by: str


def lines(
    connection: Connection,
    of: Account,
    currency: str,
    from_at: datetime | None,
    before_at: datetime | None,
    *,
    after: tuple[datetime, UUID, int] | None = None,
    limit: int = 100,
) -> list[Line]:
    """Give the postings on an account, the latest first: an index range.

    `after` is the last line of the page before: its date, entry and place.
    """
    query = (
        select(
            posting.c.entry_id,
            posting.c.place,
            posting.c.at,
            posting.c.minor,
            entry.c.happened_at,
            entry.c.kind,
            entry.c.subject,
            entry.c.reason,
            entry.c.written_by,
        )
        .join(entry, entry.c.id == posting.c.entry_id)
        .where(posting.c.account == of.code, posting.c.currency == currency)
        .order_by(posting.c.at.desc(), posting.c.entry_id.desc(), posting.c.place.desc())
        .limit(limit)
    )
    query = Span(from_at, before_at).of(query, posting.c.at)
    if after is not None:
        query = query.where(
            posting.c.at <= after[0],
            tuple_(posting.c.at, posting.c.entry_id, posting.c.place) < tuple_(*after),
        )
    return [
        Line(
            row["entry_id"],
            row["place"],
            row["at"],
            row["happened_at"],
            EntryKind(row["kind"]),
            row["subject"],
            Money(row["minor"], currency),
            row["reason"],
            row["written_by"],
        )
        for row in connection.execute(query).mappings()
    ]


def entry_about(connection: Connection, kind: EntryKind, subject: UUID) -> UUID | None:
    """Give the entry that records a fact."""
    query = select(entry.c.id).where(entry.c.kind == kind.value, entry.c.subject == subject)
    found: UUID | None = connection.execute(query).scalar_one_or_none()
    return found


def balance(
    connection: Connection, of: Account, before_at: datetime | None = None
) -> dict[str, Money]:
    """Give what an account holds by currency, as of an instant.

    Debits are positive: what a driver owes and what an attendant carries is above zero, what was
    earned below.

    Notes
    -----
    Two statements, index-only scans: what it held when the last period before the instant was
    closed, the sums of its days since, and its postings of a part of a day (`day_sums`).
    """
    found = day_sums.held(connection, before_at, [of.code])
    return {money.currency: money for _, money in found}


def balances_of(connection: Connection, accounts: Collection[Account]) -> dict[str, list[Money]]:
    """Give what some accounts hold now by their names: two statements, as `balance`."""
    found: dict[str, list[Money]] = {}
    for code, money in day_sums.held(connection, None, [each.code for each in accounts]):
        found.setdefault(code, []).append(money)
    return found


def balances(
    connection: Connection, kind: AccountKind | None = None, before_at: datetime | None = None
) -> dict[Account, list[Money]]:
    """Give every account's balances, or those of one kind, as of an instant."""
    by_account: dict[str, list[Money]] = {}
    for code, money in day_sums.held(
        connection, before_at, None if kind is None else _codes_of(kind)
    ):
        by_account.setdefault(code, []).append(money)
    query = select(account.c.code, account.c.kind, account.c.holder).order_by(
        account.c.kind, account.c.holder
    )
    if kind is not None:
        query = query.where(account.c.kind == kind.value)
    return {
        Account(AccountKind(row.kind), row.holder): by_account[row.code]
        for row in connection.execute(query)
        if row.code in by_account
    }


def total(connection: Connection, kind: AccountKind) -> list[Money]:
    """Give what all accounts of a kind hold together now, by currency."""
    return day_sums.held_together(connection, _codes_of(kind))


def _codes_of(kind: AccountKind) -> Select[tuple[str]]:
    return select(account.c.code).where(account.c.kind == kind.value)


def balances_page(
    connection: Connection,
    kind: AccountKind | None,
    before_at: datetime | None,
    after: str | None,
    limit: int,
) -> tuple[dict[Account, list[Money]], str | None]:
    """Give some accounts' balances by their names, and the last name where more follow.

    Three statements over the sums of these accounts alone: each parking card has one of its own.
    """
    query = (
        select(account.c.code, account.c.kind, account.c.holder)
        .order_by(account.c.code)
        .limit(limit + 1)
    )
    if kind is not None:
        query = query.where(account.c.kind == kind.value)
    if after is not None:
        query = query.where(account.c.code > after)
    rows = connection.execute(query).all()
    found = {row.code: Account(AccountKind(row.kind), row.holder) for row in rows[:limit]}
    held: dict[Account, list[Money]] = {}
    for code, money in day_sums.held(connection, before_at, list(found)):
        held.setdefault(found[code], []).append(money)
    return held, rows[limit - 1].code if len(rows) > limit else None


def _with_postings(connection: Connection, heads: Sequence[RowMapping]) -> list[Entry]:
    if not heads:
        return []
    rows = connection.execute(
        select(posting, account.c.kind, account.c.holder)
        .join(account, account.c.code == posting.c.account)
        .where(posting.c.entry_id.in_([head["id"] for head in heads]))
        .order_by(posting.c.entry_id, posting.c.place)
    ).mappings()
    postings: dict[UUID, list[Posting]] = {}
    for row in rows:
        holder = Account(AccountKind(row["kind"]), row["holder"])
        postings.setdefault(row["entry_id"], []).append(
            Posting(holder, Money(row["minor"], row["currency"]))
        )
    return [
        Entry(
            id=head["id"],
            at=head["at"],
            kind=EntryKind(head["kind"]),
            subject=head["subject"],
            postings=tuple(postings[head["id"]]),
            reason=head["reason"],
            by=head["written_by"],
            reverses=head["reverses"],
            happened_at=head["happened_at"],
        )
        for head in heads
    ]
