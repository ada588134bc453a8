"""Stored-value cards and their movements: the tables and every query on them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Identity,
    LargeBinary,
    RowMapping,
    Select,
    Table,
    Text,
    Uuid,
    func,
    insert,
    select,
    update,
)

from city.errors import Invalid
from city.identifiers import BillId
from city.money import Money
from payments.channel_orders import CHANNEL_ORDER
from payments.channel_refunds import CHANNEL_REFUND
from payments.rules.cards import Card, CardState, Movement, MovementKind
from payments.store import tables
from payments.store.bills import LARGEST_PAGE
from payments.store.spans import ALWAYS, Span

CARD: Final = Table(
    "card",
    tables.metadata,
    Column("id", Uuid, primary_key=True),
    Column("number", Text, nullable=False),
    Column("holder", Text),
    Column("state", Text, nullable=False),
    Column("balance_minor", BigInteger, nullable=False, server_default="0"),
    Column("currency", Text, nullable=False),
    Column("issued_at", tables.INSTANT, nullable=False),
    Column("issued_by", Text, nullable=False),
    Column("expires_at", tables.INSTANT),
    Column("replaces", Uuid),
    Column("code_digest", LargeBinary),
    Column("reader_digest", LargeBinary),
)
MOVEMENT: Final = Table(
    "card_movement",
    tables.metadata,
    Column("id", Uuid, primary_key=True),
    Column("place", BigInteger, Identity(always=True), nullable=False),
    Column("card_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("minor", BigInteger, nullable=False),
    Column("balance_minor", BigInteger, nullable=False),
    Column("at", tables.INSTANT, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("by_way_of", Text, nullable=False),
    Column("reference", Text, nullable=False, server_default=""),
    Column("entry_id", Uuid, nullable=False),
)
NEVER_BELOW_ZERO: Final = "card_not_below_zero"
_LONGEST_CHAIN: Final = 100


@dataclass(frozen=True, slots=True)
class HeldSum:
    """What the cards of a state hold together, in one currency."""

    state: CardState
    cards: int
    held: Money


def add_card(connection: Connection, card: Card, code_digest: bytes) -> None:
    """Keep a new card; it holds nothing until money is moved onto it."""
    connection.execute(
        insert(CARD).values(
            id=card.id,
            number=card.number,
            holder=card.holder,
            state=card.state.value,
            currency=card.balance.currency,
            issued_at=card.issued_at,
            issued_by=card.issued_by,
            expires_at=card.expires_at,
            replaces=card.replaces,
            code_digest=code_digest,
        )
    )


def write_card(connection: Connection, card: Card) -> None:
    """Keep a card's state, holder and end; its balance changes by movements alone."""
    connection.execute(
        update(CARD)
        .where(CARD.c.id == card.id)
        .values(state=card.state.value, holder=card.holder, expires_at=card.expires_at)
    )


def write_code(connection: Connection, card_id: UUID, code_digest: bytes | None) -> None:
    """Keep the digest of a card's code; None: it has none any more."""
    connection.execute(update(CARD).where(CARD.c.id == card_id).values(code_digest=code_digest))


def write_reader(connection: Connection, card_id: UUID, reader_digest: bytes | None) -> None:
    """Keep what a reader knows a card by: a keyed digest, never what the reader read."""
    connection.execute(update(CARD).where(CARD.c.id == card_id).values(reader_digest=reader_digest))


def find_card(connection: Connection, card_id: UUID, *, lock: bool = False) -> Card | None:
    """Give a card; with `lock` it stays as it is until the transaction ends."""
    return _one(connection, select(CARD).where(CARD.c.id == card_id), lock=lock)


def hold_cards(connection: Connection, card_ids: Collection[UUID]) -> dict[UUID, Card]:
    """Give cards by their ids, held until the transaction ends, in the order of these."""
    if not card_ids:
        return {}
    query = select(CARD).where(CARD.c.id.in_(list(card_ids))).order_by(CARD.c.id).with_for_update()
    return {row["id"]: _card(row) for row in connection.execute(query).mappings()}


def numbers_of(connection: Connection, card_ids: Collection[UUID]) -> dict[UUID, str]:
    """Give the numbers that are printed on some cards; one statement, none for none."""
    if not card_ids:
        return {}
    query = select(CARD.c.id, CARD.c.number).where(CARD.c.id.in_(list(card_ids)))
    return {row.id: row.number for row in connection.execute(query)}


def find_by_number(connection: Connection, number: str, *, lock: bool = False) -> Card | None:
    """Give a card by the number that is printed on it."""
    return _one(connection, select(CARD).where(CARD.c.number == number), lock=lock)


def find_by_reader(
    connection: Connection, digests: Sequence[bytes], *, lock: bool = False
) -> tuple[Card, bytes] | None:
    """Give the card that a reader knows, and the digest that it was found by."""
    query = select(CARD).where(
        CARD.c.reader_digest.in_(list(digests)), CARD.c.state != CardState.REPLACED.value
    )
    if lock:
        query = query.with_for_update()
    row = connection.execute(query.limit(1)).mappings().one_or_none()
    return None if row is None else (_card(row), bytes(row["reader_digest"]))


def code_digest_of(connection: Connection, card_id: UUID) -> bytes | None:
    """Give the digest of a card's code."""
    found: bytes | None = connection.execute(
        select(CARD.c.code_digest).where(CARD.c.id == card_id)
    ).scalar_one_or_none()
    return None if found is None else bytes(found)


def successor_of(connection: Connection, card_id: UUID) -> Card | None:
    """Give the card that took over from another; None where none did."""
    return _one(connection, select(CARD).where(CARD.c.replaces == card_id))


def cards_of(connection: Connection, holder: str) -> list[Card]:
    """Give a driver's cards, the newest first; at most `LARGEST_PAGE`."""
    query = select(CARD).where(CARD.c.holder == holder).order_by(CARD.c.id.desc())
    return [_card(row) for row in connection.execute(query.limit(LARGEST_PAGE)).mappings()]


def page_of_cards(
    connection: Connection,
    state: CardState | None = None,
    after: UUID | None = None,
    limit: int = 100,
    *,
    span: Span = ALWAYS,
) -> tuple[list[Card], UUID | None]:
    """Give cards, the newest first, and the last one's id where more follow.

    `span` is when they were issued.

    Raises
    ------
    Invalid
        Where `limit` lies outside 1 to `LARGEST_PAGE`.
    """
    _check_limit(limit)
    query = span.of(select(CARD), CARD.c.issued_at).order_by(CARD.c.id.desc()).limit(limit + 1)
    if state is not None:
        query = query.where(CARD.c.state == state.value)
    if after is not None:
        query = query.where(CARD.c.id < after)
    found = [_card(row) for row in connection.execute(query).mappings()]
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def cards_after(connection: Connection, after: UUID | None, limit: int) -> list[Card]:
    """Give cards in the order of their ids, from one on: to go through all of them."""
    query = select(CARD).order_by(CARD.c.id).limit(limit)
    if after is not None:
        query = query.where(CARD.c.id > after)
    return [_card(row) for row in connection.execute(query).mappings()]


def held_by_state(connection: Connection) -> list[HeldSum]:
    """Add up what cards hold, by state and currency; cost grows with the cards."""
    query = (
        select(
            CARD.c.state,
            CARD.c.currency,
            func.count().label("cards"),
            func.sum(CARD.c.balance_minor).label("minor"),
        )
        .group_by(CARD.c.state, CARD.c.currency)
        .order_by(CARD.c.state, CARD.c.currency)
    )
    return [
        HeldSum(CardState(row.state), row.cards, Money(int(row.minor), row.currency))
        for row in connection.execute(query)
    ]


def add_movement(connection: Connection, movement: Movement) -> Movement:
    """Keep a movement, which changes what its card holds; give it with the balance after it.

    Raises
    ------
    sqlalchemy.exc.IntegrityError
        Where the card would hold less than nothing, or is lost or replaced.
    """
    after_minor: int = connection.execute(
        insert(MOVEMENT)
        .values(
            id=movement.id,
            card_id=movement.card_id,
            kind=movement.kind.value,
            minor=movement.amount.minor,
            balance_minor=0,  # the trigger writes what the card then holds
            at=movement.at,
            made_by=movement.made_by,
            by_way_of=movement.by_way_of,
            reference=movement.reference,
            entry_id=movement.entry_id,
        )
        .returning(MOVEMENT.c.balance_minor)
    ).scalar_one()
    return Movement(
        movement.id,
        movement.card_id,
        movement.kind,
        movement.amount,
        Money(after_minor, movement.amount.currency),
        movement.at,
        movement.made_by,
        movement.by_way_of,
        movement.reference,
        movement.entry_id,
    )


def find_movement(connection: Connection, movement_id: UUID) -> Movement | None:
    """Give a movement by its id."""
    return _movement_where(connection, _movements().where(MOVEMENT.c.id == movement_id))


def movement_about(connection: Connection, kind: MovementKind, reference: str) -> Movement | None:
    """Give the movement of a kind that an order's or a refund's number names."""
    if not reference:
        return None
    query = _movements().where(MOVEMENT.c.kind == kind.value, MOVEMENT.c.reference == reference)
    return _movement_where(connection, query)


def page_of_movements(
    connection: Connection, card_id: UUID, after: UUID | None = None, limit: int = 100
) -> tuple[list[Movement], UUID | None]:
    """Give a card's movements, the latest first, and the last one's id where more follow.

    Raises
    ------
    Invalid
        Where `limit` lies outside 1 to `LARGEST_PAGE`.
    """
    _check_limit(limit)
    query = (
        _movements()
        .where(MOVEMENT.c.card_id == card_id)
        .order_by(MOVEMENT.c.place.desc())
        .limit(limit + 1)
    )
    if after is not None:
        last = MOVEMENT.alias("last")
        # Without such a movement the comparison is unknown and the page empty.
        query = query.where(
            MOVEMENT.c.place < select(last.c.place).where(last.c.id == after).scalar_subquery()
        )
    found = [_movement(row) for row in connection.execute(query).mappings()]
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def bills_of_references(connection: Connection, references: Collection[str]) -> dict[str, BillId]:
    """Give the bills that some orders' or refunds' numbers are about: one statement."""
    if not references:
        return {}
    orders = select(CHANNEL_ORDER.c.order_no.label("reference"), CHANNEL_ORDER.c.bill_id).where(
        CHANNEL_ORDER.c.order_no.in_(list(references))
    )
    refunds = (
        select(CHANNEL_REFUND.c.refund_no, CHANNEL_ORDER.c.bill_id)
        .join(CHANNEL_ORDER, CHANNEL_ORDER.c.id == CHANNEL_REFUND.c.order_id)
        .where(CHANNEL_REFUND.c.refund_no.in_(list(references)))
    )
    rows = connection.execute(orders.union_all(refunds))
    return {row.reference: BillId(row.bill_id) for row in rows if row.bill_id is not None}


def moved_sums(connection: Connection, card_ids: Collection[UUID]) -> dict[UUID, int]:
    """Add up the movements of some cards, in minor units; of one without any there is none."""
    query = (
        select(MOVEMENT.c.card_id, func.sum(MOVEMENT.c.minor).label("minor"))
        .where(MOVEMENT.c.card_id.in_(list(card_ids)))
        .group_by(MOVEMENT.c.card_id)
    )
    return {row.card_id: int(row.minor) for row in connection.execute(query)}


def paid_out_by(connection: Connection, by: str, since_at: datetime) -> int:
    """Add up what somebody paid out for cards in cash since an instant, in minor units.

    What goes back through a channel is counted with its refunds.
    """
    query = select(func.coalesce(func.sum(-MOVEMENT.c.minor), 0)).where(
        MOVEMENT.c.made_by == by,
        MOVEMENT.c.at >= since_at,
        MOVEMENT.c.kind == MovementKind.PAID_OUT.value,
        MOVEMENT.c.by_way_of == "cash",
    )
    return int(connection.execute(query).scalar_one())


def newest_card(connection: Connection, card: Card) -> Card:
    """Give the card that holds now what a card held: itself, or who took over at last."""
    for _ in range(_LONGEST_CHAIN):
        following = successor_of(connection, card.id)
        if following is None:
            return card
        card = following
    raise Invalid("was replaced too often", field="card")


def _check_limit(limit: int) -> None:
    if not 1 <= limit <= LARGEST_PAGE:
        raise Invalid(f"must lie between 1 and {LARGEST_PAGE}", field="limit")


def _one(
    connection: Connection, query: Select[tuple[object, ...]], *, lock: bool = False
) -> Card | None:
    if lock:
        query = query.with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _card(row)


def _card(row: RowMapping) -> Card:
    return Card(
        id=row["id"],
        number=row["number"],
        holder=row["holder"],
        state=CardState(row["state"]),
        balance=Money(row["balance_minor"], row["currency"]),
        issued_at=row["issued_at"],
        issued_by=row["issued_by"],
        expires_at=row["expires_at"],
        replaces=row["replaces"],
        read=row["reader_digest"] is not None,
    )


def _movements() -> Select[tuple[object, ...]]:
    return select(MOVEMENT, CARD.c.currency).join(CARD, CARD.c.id == MOVEMENT.c.card_id)


def _movement_where(connection: Connection, query: Select[tuple[object, ...]]) -> Movement | None:
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _movement(row)


def _movement(row: RowMapping) -> Movement:
    return Movement(
        id=row["id"],
        card_id=row["card_id"],
        kind=MovementKind(row["kind"]),
        amount=Money(row["minor"], row["currency"]),
        balance=Money(row["balance_minor"], row["currency"]),
        at=row["at"],
        made_by=row["made_by"],
        by_way_of=row["by_way_of"],
        reference=row["reference"],
        entry_id=row["entry_id"],
    )
