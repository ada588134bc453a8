"""The demo's regulars: they sign at the local gateway, and their bills are taken by agreement."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import orjson
import pytest

from city.vehicles import parse_plate
from parking.rules.occupancy.history import BayState
from payments import services as payments
from payments.gateway.app import Gateway
from payments.gateway.keys import kept_keys
from payments.rules.bills import BillState
from payments.rules.channels import Channel
from payments.store import takings
from tests.web.demo.street import KERB, NINE, WALKER
from web.demo.channels import FOLDER
from web.demo.regulars import SIGNERS, Regulars, regulars
from web.demo.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.web.demo.prepared_city import Prepared
    from tests.web.demo.street import Street

POOR, RICH = (
    next(each for each in regulars() if each.channel is Channel.ALIPAY and each.solvent is solvent)
    for solvent in (False, True)
)
HOMES = dict(zip((bay.bay_id for bay in KERB.bays), (RICH.plate, POOR.plate), strict=False))


@pytest.fixture
def gateway(city: Prepared, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """Let the demo's channels answer, at a free port, and configure the city with them."""
    served = Gateway(kept_keys(city.settings.var / FOLDER / "keys", city.wall.now()))
    document = city.settings.var / "channels.json"
    document.write_bytes(orjson.dumps(served.desk.keys.client_document(served.address)))
    monkeypatch.setenv("PAYMENT_CHANNELS", str(document))
    served.start()
    yield served
    served.stop()


def test_every_regular_has_a_plate_of_their_own_that_the_city_accepts() -> None:
    known = regulars()
    assert len({each.plate for each in known}) == len(known)
    assert all(parse_plate(each.plate.text, each.plate.kind) == each.plate for each in known)
    assert [each.channel is not None for each in known].count(True) == SIGNERS


@pytest.mark.usefixtures("gateway")
def test_a_regular_signs_once_met_and_pays_by_agreement_where_there_is_money(
    gateway: Gateway, street: Street
) -> None:
    street.set_clock(NINE)
    for bay in KERB.bays[:2]:
        street.sense(bay, BayState.OCCUPIED, NINE)
    traffic = Traffic([KERB], 1, NINE, frozenset(HOMES), HOMES, regulars=list(HOMES.values()))
    attendant = street.api()
    drivers = Regulars(
        street.wiring.database,
        street.origin,
        traffic,
        {WALKER.district: attendant},
        threading.Event(),
    )
    # Nobody has seen the car yet, so nobody can show its driver a code.
    assert not drivers.let_sign(RICH)
    for bay_id, plate in HOMES.items():
        (stay,) = attendant.get("/api/v1/sessions", bay_id=bay_id, state="open")["items"]
        seen = {"plate": plate.text, "kind": plate.kind.value}
        attendant.post(f"/api/v1/sessions/{stay['id']}/vehicle", seen, f"seen-{plate.text[-4:]}")
    for regular in (RICH, POOR):
        assert drivers.let_sign(regular)
        assert drivers.let_sign(regular)  # as after a new start: there is nothing left to do

    leaving = NINE + timedelta(minutes=95)
    street.set_clock(leaving + timedelta(minutes=1))
    for bay in KERB.bays[:2]:
        street.sense(bay, BayState.FREE, leaving)
    street.bill_what_closed()
    street.bill_what_closed()  # what a bill leaves to be done
    with street.wiring.database.read() as connection:
        bills = payments.bills(connection, limit=10).items
        paid = [each for each in bills if each.state is BillState.PAID]
        payment = takings.payment_of_bill(connection, paid[0].id)
    # Who has no money with the channel owes as anybody does.
    assert [each.state for each in bills if each not in paid] == [BillState.OPEN]
    assert payment is not None
    assert (payment.channel, payment.amount) == ("alipay", paid[0].amount)
    taken = [each for each in gateway.desk.book.orders() if each.paid_at is not None]
    assert [each.terms.amount_minor for each in taken] == [paid[0].amount.minor]
