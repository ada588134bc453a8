"""Reading the ledger: balances, the postings behind each, and whole entries."""

from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from city.errors import Invalid
from city.identifiers import BillId
from city.time import parse_rfc3339
from payments.rules.ledger import Account, AccountKind, Entry
from payments.store import ledger as store
from payments.store.bills import LARGEST_PAGE
from payments.store.ledger import Line

MOST_PLACES: Final = 32_767


def account_of(code: str) -> Account:
    """Read an account's name, ``cash:…``; Invalid where its kind is none."""
    kind, _, holder = code.partition(":")
    try:
        return Account(AccountKind(kind), holder)
    except ValueError:
        raise Invalid("is no account's name", field="account") from None


def lines(
    connection: Connection,
    account: Account,
    currency: str,
    from_at: datetime | None = None,
    before_at: datetime | None = None,
    *,
    after: str | None = None,
    limit: int = 100,
) -> tuple[list[Line], str | None]:
    """Give the postings on an account, the latest first, and a cursor where more follow.

    Raises
    ------
    Invalid
        Where the limit or the cursor is none of ours.
    """
    if not 1 <= limit <= LARGEST_PAGE:
        raise Invalid(f"must lie between 1 and {LARGEST_PAGE}", field="limit")
    found = store.lines(
        connection,
        account,
        currency,
        from_at,
        before_at,
        after=None if after is None else _read_cursor(after),
        limit=limit + 1,
    )
    items = found[:limit]
    return items, _cursor(items[-1]) if len(found) > limit else None


def find_entry(connection: Connection, entry_id: UUID) -> Entry | None:
    """Give an entry with its postings."""
    return store.find_entry(connection, entry_id)


def entries_about(connection: Connection, subjects: Collection[UUID]) -> list[Entry]:
    """Give the entries that are about some facts, in the order of their dates."""
    return store.entries_about(connection, subjects)


def bill_of_entry(connection: Connection, entry: Entry) -> BillId | None:
    """Give the bill that an entry is about, directly or by what it reverses; None for others."""
    return store.bill_of_subject(connection, entry.subject)


def _cursor(line: Line) -> str:
    return f"{line.at.isoformat()}_{line.entry_id}_{line.place}"


def _read_cursor(text: str) -> tuple[datetime, UUID, int]:
    at, _, rest = text.partition("_")
    entry_id, _, place = rest.partition("_")
    try:
        return parse_rfc3339(at, "cursor"), UUID(entry_id), _place(place)
    except ValueError:
        raise Invalid("is not a cursor of ours", field="cursor") from None


def _place(digits: str) -> int:
    """Read a posting's place; ValueError where no entry has so many."""
    place = int(digits[:5])
    if not 0 <= place <= MOST_PLACES or len(digits) > len(str(MOST_PLACES)):
        raise ValueError(digits)
    return place
