"""A driver's own side with real servers: vehicles by proof, stays, bills, disputes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, InternalError

from city.errors import Conflict, Forbidden, Invalid, NotFound
from city.identifiers import BillId, ParkingSessionId, VehicleId, uuid7
from city.money import Money
from city.people.roles import Role
from city.vehicles import PlateKind, parse_plate
from journeys.attach_vehicle import attach_vehicle
from journeys.correct_stay import Correction, CorrectionKind, correct_stay
from journeys.dispute_bill import (
    dispute_bill,
    pay_back_cancelled,
    resolve_dispute,
    withdraw_dispute,
)
from journeys.drive_stay import (
    Binding,
    bind_vehicle,
    end_stay,
    extend_stay,
    is_own,
    own_stays,
    own_vehicles,
    show_code,
    start_stay,
    unbind_vehicle,
)
from journeys.take_payment import take_payment
from parking.rules.evidence import EvidenceKind, Hold
from parking.rules.stays import ClosingReason, StayState
from parking.services import stays
from payments import cancelling, channel_payments, channel_refunds, money_back
from payments import services as payments
from payments.rules.arrears import Penalty
from payments.rules.bills import BillState, raised
from payments.rules.booking import book_penalty
from payments.rules.channels import Answer, Channel, Fate, Method, RefundAnswer, RefundFate
from payments.rules.disputes import DisputeState, Ground
from payments.rules.ledger import cash_of, clearing_of, earned_by, receivable_of, surplus_of
from payments.store import bill_changes
from payments.store import bills as bill_store
from payments.store import ledger as ledger_store
from tests.journeys.conftest import at, person
from tests.journeys.garage import Garage, bills, evidence, minutes_pass, session, sessions

if TYPE_CHECKING:
    from city.people.actors import Actor
    from parking.rules.occupancy.history import BayChange
    from parking.rules.stays import ParkingSession
    from payments.rules.bills import Bill
    from payments.rules.channel_orders import ChannelOrder, ChannelRefund
    from tests.journeys.conftest import Street

BLUE = parse_plate("京A12345", PlateKind.BLUE7)
FINANCE = person("finance-1", Role.FINANCE)


def cny(minor: int) -> Money:
    return Money(minor, "CNY")


def apply(street: Street, *changes: BayChange) -> None:
    with street.database.unit_of_work() as uow:
        stays.apply_bay_changes(uow, changes)


def move_to(street: Street, minute: float) -> None:
    street.clock.advance((at(minute) - street.clock.now()).total_seconds())


def parked(street: Street, minute: float = 0, bay: int = 0) -> ParkingSession:
    """Let a car come and be noted; give its stay."""
    move_to(street, minute)
    apply(street, street.change(minute, ("occupied", minute), bay=bay))
    stay = sessions(street)[-1]
    with street.database.unit_of_work() as uow:
        return attach_vehicle(uow, street.attendant, stay.id, BLUE).session


def bound(street: Street, of: ParkingSession, driver: Actor | None = None) -> VehicleId:
    """Bind the vehicle of a stay to a driver by the code that an attendant shows."""
    with street.database.unit_of_work() as uow:
        code, _ = show_code(uow, street.attendant, of.id)
        use = bind_vehicle(uow, driver or street.driver, Binding(code=code))
    return use.vehicle_id


def billed(street: Street) -> Bill:
    stay = parked(street)
    bound(street, stay)
    apply(street, street.change(61, ("free", 61)))
    minutes_pass(street, 62)
    return bills(street)[0]


def mine(street: Street, driver: Actor | None = None) -> list[ParkingSessionId]:
    with street.database.read() as connection:
        page = own_stays(connection, driver or street.driver, after=None, limit=100)
    return [each.id for each in page.items]


def test_a_code_shown_at_the_vehicle_binds_it_and_shows_the_stay(street: Street) -> None:
    stay = parked(street)
    assert mine(street) == []
    vehicle_id = bound(street, stay)
    assert vehicle_id == stay.stay.vehicle_id
    assert mine(street) == [stay.id]
    with street.database.read() as connection:
        (use,) = own_vehicles(connection, street.driver)
    assert (use.since_at, use.proof) == (at(0), "stay-code")


def test_a_code_binds_once_and_not_for_long(street: Street) -> None:
    stay = parked(street)
    with street.database.unit_of_work() as uow:
        code, expires_at = show_code(uow, street.attendant, stay.id)
    assert expires_at - street.wall.now() == timedelta(minutes=15)
    with street.database.unit_of_work() as uow:
        bind_vehicle(uow, street.driver, Binding(code=f" {code[:4]}-{code[4:].lower()} "))
    other = person("driver-2", Role.DRIVER)
    with street.database.unit_of_work() as uow, pytest.raises(NotFound, match="was used"):
        bind_vehicle(uow, other, Binding(code=code))
    with street.database.unit_of_work() as uow:
        late, _ = show_code(uow, street.attendant, stay.id)
    street.wall.advance(15 * 60)
    with street.database.unit_of_work() as uow, pytest.raises(NotFound):
        bind_vehicle(uow, other, Binding(code=late))


def test_no_code_stands_in_the_database(street: Street) -> None:
    stay = parked(street)
    with street.database.unit_of_work() as uow:
        code, _ = show_code(uow, street.attendant, stay.id)
        found = uow.connection.execute(
            text("select count(*) from parking.stay_code t where t::text ilike :code"),
            {"code": f"%{code}%"},
        )
        assert found.scalar_one() == 0


def test_a_paid_bill_with_its_plate_binds_and_an_unpaid_one_or_another_plate_does_not(
    street: Street,
) -> None:
    stay = parked(street)
    apply(street, street.change(61, ("free", 61)))
    minutes_pass(street, 62)
    (bill,) = bills(street)
    proof = Binding(bill_id=bill.id, plate=BLUE)
    with street.database.unit_of_work() as uow, pytest.raises(NotFound):
        bind_vehicle(uow, street.driver, proof)
    with street.database.unit_of_work() as uow:
        take_payment(uow, street.attendant, bill.id, cny(900))
    wrong = replace(proof, plate=parse_plate("京B23456", PlateKind.BLUE7))
    for bad in (wrong, replace(proof, bill_id=BillId(uuid7()))):
        with street.database.unit_of_work() as uow, pytest.raises(NotFound, match="no paid bill"):
            bind_vehicle(uow, street.driver, bad)
    with street.database.unit_of_work() as uow:
        bind_vehicle(uow, street.driver, proof)
    assert mine(street) == [stay.id]
    with street.database.unit_of_work() as uow, pytest.raises(Invalid, match="code"):
        bind_vehicle(uow, street.driver, Binding())


def test_several_people_have_one_vehicle_until_it_is_sold(street: Street) -> None:
    first = parked(street)
    partner = person("driver-2", Role.DRIVER)
    buyer = person("driver-3", Role.DRIVER)
    bound(street, first)
    bound(street, first, partner)
    assert mine(street) == mine(street, partner) == [first.id]
    with pytest.raises(Conflict, match="yours already"):
        bound(street, first)
    apply(street, street.change(61, ("free", 61)))
    second = parked(street, 100)
    with street.database.unit_of_work() as uow:
        code, _ = show_code(uow, street.attendant, second.id)
        bind_vehicle(uow, buyer, Binding(code=code, resale=True))
    assert mine(street, buyer) == [second.id]
    assert mine(street) == mine(street, partner) == [first.id]
    with street.database.read() as connection:
        assert own_vehicles(connection, street.driver) == []


def test_an_old_bill_takes_no_vehicle_from_anybody(street: Street) -> None:
    bill = billed(street)
    with street.database.unit_of_work() as uow:
        take_payment(uow, street.attendant, bill.id, cny(900))
    with (
        street.database.unit_of_work() as uow,
        pytest.raises(Invalid, match="shown at the vehicle"),
    ):
        bind_vehicle(
            uow,
            person("driver-2", Role.DRIVER),
            Binding(bill_id=bill.id, plate=BLUE, resale=True),
        )


def test_whoever_unbinds_a_vehicle_sees_its_later_stays_no_more(street: Street) -> None:
    first = parked(street)
    vehicle_id = bound(street, first)
    apply(street, street.change(61, ("free", 61)))
    move_to(street, 70)
    with street.database.unit_of_work() as uow:
        unbind_vehicle(uow, street.driver, vehicle_id)
    parked(street, 100)
    assert mine(street) == [first.id]
    with street.database.unit_of_work() as uow, pytest.raises(NotFound, match="vehicle of yours"):
        unbind_vehicle(uow, street.driver, vehicle_id)


def test_a_driver_starts_extends_and_ends_a_stay_that_the_sensor_opened(street: Street) -> None:
    vehicle_id = bound(street, parked(street, bay=1))
    apply(street, street.change(10, ("free", 10), bay=1))
    move_to(street, 30)
    apply(street, street.change(30, ("occupied", 30)))
    with street.database.unit_of_work() as uow:
        stay = start_stay(uow, street.driver, street.bays[0].id, vehicle_id, at(60))
    assert (stay.stay.opened_at, stay.stay.vehicle_id) == (at(30), vehicle_id)
    with street.database.unit_of_work() as uow:
        extended = extend_stay(uow, street.driver, stay.id, at(120))
    assert extended.stay.planned_until_at == at(120)
    move_to(street, 91)
    with street.database.unit_of_work() as uow:
        ended = end_stay(uow, street.driver, stay.id)
    assert (ended.stay.closed_at, ended.stay.closing_reason) == (at(91), ClosingReason.DRIVER)
    apply(street, street.change(93, ("free", 93)))
    minutes_pass(street, 20)
    by_session = {bill.charge.session_id: bill.amount for bill in bills(street)}
    assert by_session[stay.id] == cny(900)
    assert {each.kind for each in evidence(street, stay)} >= {
        EvidenceKind.BAY_ARRIVAL,
        EvidenceKind.DRIVER_START,
        EvidenceKind.DRIVER_EXTENSION,
        EvidenceKind.DRIVER_END,
    }


def test_a_driver_starts_where_the_sensor_says_nothing_and_it_joins_when_it_speaks(
    street: Street,
) -> None:
    vehicle_id = bound(street, parked(street, bay=1))
    apply(street, street.change(10, ("free", 10), bay=1))
    move_to(street, 30)
    with street.database.unit_of_work() as uow:
        stay = start_stay(uow, street.driver, street.bays[0].id, vehicle_id, None)
    apply(street, street.change(31, ("occupied", 31)))
    apply(street, street.change(62, ("free", 62)))
    found = [each for each in sessions(street) if each.bay_id == street.bays[0].id]
    assert [each.id for each in found] == [stay.id]
    assert found[0].stay.closed_at == at(62)


def test_a_stay_is_started_with_ones_own_vehicle_once_and_in_a_free_bay(street: Street) -> None:
    first = parked(street)
    vehicle_id = bound(street, first)

    def start(bay: int, vehicle: VehicleId, actor: Actor | None = None) -> None:
        with street.database.unit_of_work() as uow:
            start_stay(uow, actor or street.driver, street.bays[bay].id, vehicle, None)

    with pytest.raises(NotFound, match="vehicle of yours"):
        start(1, VehicleId(uuid7()))
    with pytest.raises(NotFound, match="vehicle of yours"):
        start(1, vehicle_id, person("driver-2", Role.DRIVER))
    with pytest.raises(Conflict, match="elsewhere"):
        start(1, vehicle_id)
    with pytest.raises(Forbidden):
        start(1, vehicle_id, street.attendant)
    start(0, vehicle_id)
    with street.database.unit_of_work() as uow, pytest.raises(Invalid, match="ahead"):
        extend_stay(uow, street.driver, first.id, at(0))
    with street.database.unit_of_work() as uow, pytest.raises(NotFound, match="stay of yours"):
        end_stay(uow, person("driver-2", Role.DRIVER), first.id)
    apply(street, street.change(10, ("free", 10)))
    with street.database.unit_of_work() as uow, pytest.raises(Conflict):
        end_stay(uow, street.driver, first.id)


def test_a_stay_behind_a_gate_ends_at_the_gate(street: Street) -> None:
    garage = Garage(street)
    garage.passes("entry", 0)
    (stay,) = sessions(street)
    bound(street, stay)
    with street.database.unit_of_work() as uow, pytest.raises(Invalid, match="at the gate"):
        end_stay(uow, street.driver, stay.id)


def test_a_dispute_freezes_the_bill_and_stops_its_clock(street: Street) -> None:
    bill = billed(street)
    with street.database.unit_of_work() as uow:
        opened = dispute_bill(uow, street.driver, bill.id, Ground.WRONG_TIMES, "I left at ten")
    assert opened.bill.state is BillState.DISPUTED
    with street.database.unit_of_work() as uow, pytest.raises(Conflict, match="frozen"):
        take_payment(uow, street.attendant, bill.id, cny(900))
    with street.database.unit_of_work() as uow, pytest.raises(Conflict, match="disputed"):
        dispute_bill(uow, street.driver, bill.id, Ground.OTHER, "again")
    street.clock.advance(10 * 86_400)
    with street.database.unit_of_work() as uow:
        done = resolve_dispute(
            uow,
            FINANCE,
            opened.dispute.id,
            DisputeState.REJECTED,
            "the sensor and the camera agree",
        )
    assert done.bill.state is BillState.OPEN
    assert done.bill.due_at - bill.due_at == timedelta(days=10)
    with street.database.unit_of_work() as uow:
        take_payment(uow, street.attendant, bill.id, cny(900))
    assert bills(street)[0].state is BillState.PAID
    with street.database.unit_of_work() as uow, pytest.raises(Conflict, match="resolved already"):
        resolve_dispute(uow, FINANCE, opened.dispute.id, DisputeState.UPHELD, "after all")


def test_a_dispute_that_is_upheld_cancels_the_bill_and_the_corrected_stay_is_billed_anew(
    street: Street,
) -> None:
    bill = billed(street)
    with street.database.unit_of_work() as uow:
        opened = dispute_bill(uow, street.driver, bill.id, Ground.WRONG_TIMES, "")
    with street.database.unit_of_work() as uow:
        done = resolve_dispute(
            uow, FINANCE, opened.dispute.id, DisputeState.UPHELD, "you are right"
        )
    assert done.bill.state is BillState.CANCELLED
    with street.database.read() as connection:
        owed = payments.balance(connection, receivable_of(street.facility.operator_id))
    assert owed == {"CNY": cny(0)}
    stay = session(street, bill.charge.session_id)
    assert (stay.stay.hold, stay.bill_id, stay.stay.final) == (Hold.DISPUTED, None, False)
    minutes_pass(street, 60)
    assert len(bills(street)) == 1
    said = Correction(CorrectionKind.END, "left at 9:20, on the camera", at=at(20))
    with street.database.unit_of_work() as uow:
        correct_stay(uow, street.attendant, stay.id, said)
    minutes_pass(street, 11)
    first, second = bills(street)
    assert (first.state, second.state, second.amount) == (
        BillState.CANCELLED,
        BillState.OPEN,
        cny(300),
    )
    assert session(street, stay.id).bill_id == second.id


def test_what_was_paid_of_a_bill_in_part_goes_back_where_its_dispute_is_upheld(
    street: Street,
) -> None:
    bill = billed(street)
    operator, district = street.facility.operator_id, street.facility.district

    def asked(channel: Channel) -> ChannelOrder:
        return channel_payments.ask_order(uow, bill.id, channel, "M1", Method.CODE, "payer")

    def hears(order: ChannelOrder) -> ChannelRefund | None:
        answer = Answer(Fate.PAID, f"CH-{order.order_no}", order.amount, "M1")
        return next(iter(channel_payments.hear(uow, order.order_no, answer).surplus), None)

    with street.database.unit_of_work() as uow:
        payments.pay_in_cash(uow, bill.id, cny(100), "attendant-1", part=cny(100))
        paid, late = asked(Channel.ALIPAY), asked(Channel.WECHAT)
        # A penalty since the orders were opened: what they are over is a part of the bill.
        grown = payments.find_bill(uow.connection, bill.id)
        assert grown is not None
        penalty = Penalty(uuid7(), bill.id, cny(50), street.clock.now(), "late")
        bill_store.write_state(uow.connection, raised(grown, penalty.amount))
        bill_changes.add_penalty(uow.connection, penalty)
        ledger_store.add_entry(uow.connection, book_penalty(penalty, grown, None))
        assert hears(paid) is None
    with street.database.unit_of_work() as uow:
        dispute = dispute_bill(uow, street.driver, bill.id, Ground.WRONG_TIMES, "").dispute
    with street.database.unit_of_work() as uow:
        done = resolve_dispute(uow, FINANCE, dispute.id, DisputeState.UPHELD, "you are right")
        assert done.bill.state is BillState.CANCELLED
        assert cancelling.cash_owed_back(uow.connection, done.bill) == cny(100)
        # What comes through another channel by now is a surplus, as ever.
        assert hears(late) is not None
    with street.database.unit_of_work() as uow:
        for order in (paid, late):
            (back,) = channel_refunds.of_orders(uow.connection, [order])[order.id]
            assert back.amount == order.amount
            arrived = RefundAnswer(RefundFate.DONE, amount=back.amount)
            money_back.hear_of_refund(uow, back.refund_no, arrived)
    with pytest.raises(Forbidden), street.database.unit_of_work() as uow:
        pay_back_cancelled(uow, street.driver, bill.id)
    with street.database.unit_of_work() as uow:
        assert pay_back_cancelled(uow, street.attendant, bill.id).amount == cny(100)
    with pytest.raises(Conflict, match="nothing is left"), street.database.unit_of_work() as uow:
        pay_back_cancelled(uow, street.attendant, bill.id)
    with street.database.read() as connection:
        for account in (
            receivable_of(operator),
            earned_by("public_non_tax", operator, district),
            cash_of("attendant-1"),
            *(make(each) for make in (clearing_of, surplus_of) for each in ("alipay", "wechat")),
        ):
            held = payments.balance(connection, account).get("CNY", cny(0))
            assert (account.code, held) == (account.code, cny(0))
        # It is no money that was paid ahead of the stay, nor taken off it.
        ahead = payments.paid_ahead(connection, [bill.charge.session_id])
        last = payments.find_bill(connection, bill.id)
    assert last is not None
    assert (ahead.left_minor, last.refunded_minor) == (0, last.paid_minor)


def test_a_dispute_is_withdrawn_by_whoever_opened_it(street: Street) -> None:
    bill = billed(street)
    with street.database.unit_of_work() as uow:
        opened = dispute_bill(uow, street.driver, bill.id, Ground.OTHER, "")
    other = person("driver-2", Role.DRIVER)
    with street.database.unit_of_work() as uow, pytest.raises(NotFound):
        withdraw_dispute(uow, other, opened.dispute.id, "not mine")
    with street.database.unit_of_work() as uow:
        done = withdraw_dispute(uow, street.driver, opened.dispute.id, "my mistake")
    assert (done.bill.state, done.dispute.state) == (BillState.OPEN, DisputeState.WITHDRAWN)


def test_a_dispute_is_opened_by_the_driver_and_judged_by_somebody_else(street: Street) -> None:
    bill = billed(street)
    for actor, error in (
        (person("driver-2", Role.DRIVER), NotFound),
        (street.attendant, Forbidden),
    ):
        with street.database.unit_of_work() as uow, pytest.raises(error):
            dispute_bill(uow, actor, bill.id, Ground.OTHER, "")
    with street.database.unit_of_work() as uow:
        opened = dispute_bill(uow, street.driver, bill.id, Ground.OTHER, "")
    judge = replace(FINANCE, subject=street.attendant.subject)
    for actor in (
        street.driver,
        street.attendant,
        replace(FINANCE, districts=frozenset({"0999"})),
        judge,
    ):
        with street.database.unit_of_work() as uow, pytest.raises(Forbidden):
            resolve_dispute(uow, actor, opened.dispute.id, DisputeState.UPHELD, "yes indeed")


def test_a_paid_bill_is_refunded_and_not_disputed(street: Street) -> None:
    bill = billed(street)
    with street.database.unit_of_work() as uow:
        take_payment(uow, street.attendant, bill.id, cny(900))
    with street.database.unit_of_work() as uow, pytest.raises(Conflict, match="is paid"):
        dispute_bill(uow, street.driver, bill.id, Ground.OTHER, "")


def test_the_database_itself_keeps_a_frozen_bill_frozen(street: Street) -> None:
    bill = billed(street)
    with street.database.unit_of_work() as uow:
        dispute_bill(uow, street.driver, bill.id, Ground.OTHER, "")
    for change in (
        "update payments.bill set state = 'paid', paid_at = now()",
        "update payments.bill set due_at = due_at + interval '1 day'",
        "update payments.dispute set words = 'other'",
        "delete from payments.dispute",
    ):
        with (
            pytest.raises((IntegrityError, InternalError)),
            street.database.unit_of_work() as uow,
        ):
            uow.connection.execute(text(change))


def test_a_driver_reads_their_own_and_nothing_else(street: Street) -> None:
    stay = parked(street)
    bound(street, stay)
    with street.database.read() as connection:
        assert is_own(connection, street.driver, stay)
        assert not is_own(connection, person("driver-2", Role.DRIVER), stay)
        assert not is_own(connection, street.attendant, stay)
    assert stay.stay.state is StayState.OPEN
