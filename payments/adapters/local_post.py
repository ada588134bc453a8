"""A sender of notices that keeps what it was given: where no provider is set up, and in tests."""

import hashlib
from typing import Final

from sqlalchemy import BigInteger, Column, Identity, Table, Text, Uuid, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import ARRAY

from city.works.database import Database
from payments.rules.arrears import Medium
from payments.rules.notices import Notice, NoticeState, Receipt
from payments.store import tables

LOCAL_POST: Final = Table(
    "local_post",
    tables.metadata,
    Column("notice_id", Uuid, primary_key=True),
    Column("number", BigInteger, Identity(always=True), nullable=False),
    Column("medium", Text, nullable=False),
    Column("accounts", ARRAY(Text), nullable=False),
    Column("text", Text, nullable=False),
    Column("kept_at", tables.INSTANT, nullable=False),
)


class LocalPost:
    """Keeps messages and letters in a table of its own, once each; implements `NoticeSender`.

    Parameters
    ----------
    database : Database
        Where it keeps them; its business clock dates the receipts.
    """

    name: Final = "local"

    def __init__(self, database: Database) -> None:
        self._database = database

    def send(self, notice: Notice) -> Receipt:
        """Keep a notice: what is kept counts as delivered. A message nobody can get fails."""
        if notice.medium is Medium.MESSAGE and not notice.accounts:
            now = self._database.clock.now()
            return Receipt(NoticeState.FAILED, now, "", {"why": "no driver's account is known"})
        with self._database.unit_of_work() as uow:
            values = postgresql.insert(LOCAL_POST).values(
                notice_id=notice.id,
                medium=notice.medium.value,
                accounts=list(notice.accounts),
                text=notice.text,
                kept_at=uow.clock.now(),
            )
            uow.connection.execute(values.on_conflict_do_nothing())
            kept = uow.connection.execute(
                select(LOCAL_POST.c.number, LOCAL_POST.c.kept_at).where(
                    LOCAL_POST.c.notice_id == notice.id
                )
            ).one()
        digest = hashlib.sha256(notice.text.encode()).hexdigest()
        return Receipt(
            NoticeState.DELIVERED,
            kept.kept_at,
            str(kept.number),
            {"kept_at": kept.kept_at.isoformat(), "sha256": digest},
        )
