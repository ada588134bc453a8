"""What pages call those who acted, whom the record keeps as subjects."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from city.identifiers import AccountId, OperatorId
from city.people.store import account_names
from parking.services.place_keeping import operators_by_id
from payments.store.cards import numbers_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection


def holders(connection: Connection, of: Iterable[str]) -> dict[str, dict[str, str]]:
    """Give the names of those who hold accounts, staff, operators and cards: three statements."""
    ids = _ids(of)
    staff = account_names(connection, {AccountId(each) for each in ids})
    operators = operators_by_id(connection, {OperatorId(each) for each in ids})
    numbers = numbers_of(connection, ids - staff.keys() - operators.keys())
    called = {str(one): name for one, name in (*staff.items(), *numbers.items())}
    return {one: {"zh": name, "en": name} for one, name in called.items()} | {
        str(one): {"zh": found.name_zh, "en": found.name_en} for one, found in operators.items()
    }


def names_of(connection: Connection, subjects: Iterable[str | None]) -> dict[str, str]:
    """Give the names of staff by subject, one statement; channels and the system have none."""
    wanted = {AccountId(each) for each in _ids(subjects)}
    return {str(one): name for one, name in account_names(connection, wanted).items()}


def _ids(subjects: Iterable[str | None]) -> set[UUID]:
    found = set()
    for subject in subjects:
        try:
            found.add(UUID(subject or ""))
        except ValueError:
            continue  # a channel, the system, a district
    return found
