"""The ledger: writing entries, finding them, and balances."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.dialects import postgresql

from city.money import Money
from payments.rules.ledger import Account, AccountKind, Entry, EntryKind, Posting
from payments.store.tables import account, entry, posting


def add_entry(connection: Connection, written: Entry) -> None:
    """Write an entry with its postings; accounts are opened on the way. Three statements."""
    accounts = sorted({p.account for p in written.postings}, key=lambda each: each.code)
    connection.execute(
        postgresql.insert(account).on_conflict_do_nothing(),
        [
            {
                "code": each.code,
                "kind": each.kind.value,
                "holder": each.holder,
                "opened_at": written.at,
            }
            for each in accounts
        ],
    )
    connection.execute(
        insert(entry).values(
            id=written.id,
            at=written.at,
            kind=written.kind.value,
            subject=written.subject,
            reverses=written.reverses,
            reason=written.reason,
            written_by=written.by,
        )
    )
    connection.execute(
        insert(posting),
        [
            {
                "entry_id": written.id,
                "place": place,
                "account": each.account.code,
                "minor": each.amount.minor,
                "currency": each.amount.currency,
                "at": written.at,
            }
            for place, each in enumerate(written.postings)
        ],
    )


def find_entry(connection: Connection, entry_id: UUID, *, lock: bool = False) -> Entry | None:
    """Give an entry with its postings; with `lock` nobody else reverses it meanwhile."""
    query = select(entry).where(entry.c.id == entry_id)
    if lock:
        query = query.with_for_update()
    head = connection.execute(query).mappings().one_or_none()
    if head is None:
        return None
    postings = (
        select(posting, account.c.kind, account.c.holder)
        .join(account, account.c.code == posting.c.account)
        .where(posting.c.entry_id == entry_id)
        .order_by(posting.c.place)
    )
    return Entry(
        id=head["id"],
        at=head["at"],
        kind=EntryKind(head["kind"]),
        subject=head["subject"],
        postings=tuple(
            Posting(
                Account(AccountKind(row["kind"]), row["holder"]),
                Money(row["minor"], row["currency"]),
            )
            for row in connection.execute(postings).mappings()
        ),
        reason=head["reason"],
        by=head["written_by"],
        reverses=head["reverses"],
    )


def entry_about(connection: Connection, kind: EntryKind, subject: UUID) -> UUID | None:
    """Give the entry that records a fact."""
    query = select(entry.c.id).where(entry.c.kind == kind.value, entry.c.subject == subject)
    found: UUID | None = connection.execute(query).scalar_one_or_none()
    return found


def balance(
    connection: Connection, of: Account, before_at: datetime | None = None
) -> dict[str, Money]:
    """Give what an account holds by currency, as of an instant: an index-only scan.

    Debits are positive: what a driver owes and what an attendant carries is above zero, what was
    earned below.
    """
    query = (
        select(posting.c.currency, func.sum(posting.c.minor).label("minor"))
        .where(posting.c.account == of.code)
        .group_by(posting.c.currency)
    )
    if before_at is not None:
        query = query.where(posting.c.at < before_at)
    rows = connection.execute(query).mappings()
    return {row["currency"]: Money(int(row["minor"]), row["currency"]) for row in rows}


def balances(connection: Connection, kind: AccountKind | None = None) -> dict[Account, list[Money]]:
    """Give every account's balances, or those of one kind."""
    query = (
        select(
            account.c.kind,
            account.c.holder,
            posting.c.currency,
            func.sum(posting.c.minor).label("minor"),
        )
        .join(account, account.c.code == posting.c.account)
        .group_by(account.c.kind, account.c.holder, posting.c.currency)
        .order_by(account.c.kind, account.c.holder, posting.c.currency)
    )
    if kind is not None:
        query = query.where(account.c.kind == kind.value)
    found: dict[Account, list[Money]] = {}
    for row in connection.execute(query).mappings():
        holder = Account(AccountKind(row["kind"]), row["holder"])
        found.setdefault(holder, []).append(Money(int(row["minor"]), row["currency"]))
    return found
