"""Bills written by the hundred: days that are taken over whole from a system before ours."""

from collections.abc import Collection

from sqlalchemy.exc import IntegrityError

from city.errors import Conflict
from city.works.database import UnitOfWork
from payments import services
from payments.rules.arrears import next_step_at
from payments.rules.bills import Bill, BillState, Charge, issue
from payments.rules.booking import book_bill
from payments.store import bills as bill_store
from payments.store import contracts as contract_store
from payments.store import ledger as ledger_store
from payments.store import policies


def issue_bills(uow: UnitOfWork, charges: Collection[Charge], by: str) -> list[Bill]:
    """Write the bills of stays that have none yet, as `issue_bill` each, set-wise.

    A query for each region's policy and each facility's contract, and five statements for some
    hundreds of bills: for takeovers of whole days, of a system that comes before ours.

    Raises
    ------
    Invalid
        As `issue_bill`.
    Conflict
        Where a stay has a bill already, or twice one among these: nothing is written.
    """
    contract_store.follow_terms(uow.connection)
    now = uow.clock.now()
    policy_of = {
        district: policies.in_force(uow.connection, district, now)
        for district in {each.district for each in charges}
    }
    contract_of = {
        (operator_id, facility_id): contract_store.in_force(
            uow.connection, operator_id, facility_id, now
        )
        for operator_id, facility_id in {(each.operator_id, each.facility_id) for each in charges}
    }
    bills = [
        issue(
            each,
            now,
            policy_of[each.district].days_to_pay,
            policy_of[each.district].cash_step_minor,
        )
        for each in charges
    ]
    try:
        with uow.attempt():
            bill_store.add_bills(
                uow.connection,
                [
                    (
                        each,
                        next_step_at(each, policy_of[each.charge.district], ())
                        if each.state is BillState.OPEN
                        else None,
                    )
                    for each in bills
                ],
            )
    except IntegrityError as error:
        raise Conflict("a stay has a bill already", field="session_id") from error
    entries = [
        book_bill(each, by, contract_of[each.charge.operator_id, each.charge.facility_id])
        for each in bills
    ]
    ledger_store.add_entries(uow.connection, [each for each in entries if each is not None])
    for each in bills:
        services.announce_issued(uow, each)
        if each.state is BillState.PAID:
            services.announce_settled(uow, each, None)
    return bills
