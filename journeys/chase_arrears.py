"""Remind, give notice and penalise, as each region's policy says: a job of the worker.

What has fallen overdue is moved to the ledger's arrears before, so that a penalty is booked there.
Steps and notices are kept first, then sent, then what the sender said is kept: killed anywhere, the
next run goes on, and a sender gets a notice again under the same number.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

import structlog
from pydantic import JsonValue
from sqlalchemy import Connection

from city.audit import record
from city.errors import Unavailable
from city.identifiers import BillId
from city.people.actors import system_actor
from city.works.database import Database
from city.works.jobs import Task
from parking.services import places, vehicle_users
from payments import chasing, debts
from payments.chasing import About
from payments.rules.bills import Bill
from payments.rules.notices import NoticeSender

TASK: Final = "journeys.chase_arrears"
EVERY_TEN_MINUTES: Final = "4-59/10 * * * *"
CHASER: Final = system_actor("arrears")
MOST_BATCHES: Final = 500
"""A run ends after a hundred thousand bills: the next one goes on."""

log = structlog.get_logger(__name__)


def chase_arrears(database: Database, sender: NoticeSender) -> int:
    """Take all steps that are due and send what waits; give how many notices went out.

    Cost grows with the bills that fell due, those whose step is due and the notices that wait.
    """
    fallen = debts.BATCH
    batches = 0
    while fallen == debts.BATCH and batches < MOST_BATCHES:
        with database.unit_of_work() as uow:
            fallen = debts.fall_overdue(uow)
        batches += 1
    looked = chasing.BATCH
    batches = 0
    while looked == chasing.BATCH and batches < MOST_BATCHES:
        with database.unit_of_work() as uow:
            looked = chasing.take_steps(uow, _about)
        batches += 1
    return _send(database, sender)


def _send(database: Database, sender: NoticeSender) -> int:
    sent = 0
    while True:
        with database.read() as connection:
            waiting = chasing.notices_to_send(connection)
        for notice in waiting:
            try:
                receipt = sender.send(notice)
            except Unavailable as error:
                log.warning("notices wait for their sender", sender=sender.name, reason=str(error))
                return sent
            with database.unit_of_work() as uow:
                if chasing.keep_receipt(uow, notice, receipt, sender.name):
                    sent += 1
                    record(
                        uow,
                        CHASER,
                        "payments.notice_sent",
                        "bill",
                        str(notice.bill_id),
                        {
                            "notice_id": str(notice.id),
                            "kind": notice.kind.value,
                            "medium": notice.medium.value,
                            "state": receipt.state.value,
                            "provider": sender.name,
                            "provider_no": receipt.number,
                        },
                    )
        if len(waiting) < chasing.BATCH:
            return sent


def _about(connection: Connection, bills: Sequence[Bill]) -> Mapping[BillId, About]:
    """Give what notices say of places, and whom messages go to: two statements."""
    facilities = places.facilities_by_id(connection, {each.charge.facility_id for each in bills})
    accounts = vehicle_users.accounts_of(connection, {each.charge.vehicle_id for each in bills})
    found: dict[BillId, About] = {}
    for bill in bills:
        home = facilities.get(bill.charge.facility_id)
        names = {} if home is None else {"zh": home.name_zh, "en": home.name_en}
        drivers = accounts.get(bill.charge.vehicle_id, [])
        found[bill.id] = About(names, tuple(str(each) for each in drivers))
    return found


def task(database: Database, sender: NoticeSender) -> Task:
    """Give the task that runs every ten minutes."""
    return Task(TASK, partial(_handle, database, sender), every=EVERY_TEN_MINUTES)


def _handle(database: Database, sender: NoticeSender, arguments: Mapping[str, JsonValue]) -> None:
    del arguments
    chase_arrears(database, sender)
