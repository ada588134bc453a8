"""POS terminals take money once, whatever is lost, sent twice, overtaken or cut off."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from city.identifiers import (
    DistrictCode,
    FacilityId,
    OperatorId,
    ParkingSessionId,
    TariffVersionId,
    VehicleId,
    uuid7,
)
from city.money import Money
from city.people.actors import Actor
from city.people.roles import Role
from city.vault import keep_plate
from city.vehicles import PlateKind, parse_plate
from journeys import keep_cards
from journeys.answer_pos import answer_frame
from payments import cards, pos_terminals, services
from payments.adapters.pos_line import PosHost, PosLines
from payments.adapters.pos_terminal import (
    Faults,
    Memory,
    NoAnswer,
    PosTerminal,
    PowerCut,
    owed_bills,
    remembered,
)
from payments.rules.bills import BillState, Charge
from payments.rules.ledger import clearing_of, receivable_of
from payments.rules.pos.iso8583 import Frame, Message, decode, encode, read_frame, signed_part
from payments.rules.pos.mac import Mac, mac_of, unwrapped
from payments.rules.pos.requests import (
    Code,
    Kind,
    Original,
    Request,
    Target,
    Totals,
    Uploaded,
    as_message,
)
from payments.rules.pos.terminals import Act, TerminalState
from payments.store import pos_acts as act_store
from payments.store import pos_terminals as terminal_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from city.works.database import Database
    from payments.rules.bills import Bill

KEEPER = Actor("person", "keeper-1", None, frozenset({Role.OPERATOR}), "keeper-1")
DESK = Actor("person", "desk-1", None, frozenset({Role.FINANCE}), "desk-1")
DISTRICT = DistrictCode("0153")
MERCHANT = "898330154110001"
OPERATOR = OperatorId(uuid7())
PLATE = parse_plate("京A88888", PlateKind.BLUE7)
PAN = "6228480402564890018"
"""A published test number that checks itself."""


def cny(minor: int) -> Money:
    return Money(minor, "CNY")


def owing(database: Database, minor: int, vehicle_id: VehicleId | None = None) -> Bill:
    line: dict[str, Any] = {"minor": minor, "units": 1}
    charge = Charge(
        session_id=ParkingSessionId(uuid7()),
        vehicle_id=vehicle_id or VehicleId(uuid7()),
        facility_id=FacilityId(uuid7()),
        district=DISTRICT,
        operator_id=OPERATOR,
        revenue_nature="commercial",
        tariff_version_id=TariffVersionId(uuid7()),
        amount=cny(minor),
        lines=(line,),
    )
    with database.unit_of_work() as uow:
        return services.issue_bill(uow, charge, "test")


class Town:
    """A host on a line of its own, and terminals that dial it."""

    def __init__(self, database: Database, port: int) -> None:
        self.database = database
        self.address = ("127.0.0.1", port)
        self.opened: list[PosTerminal] = []
        self.sales = 0

    def terminal(
        self, number: str = "GB000001", mac: Mac = Mac.UNIONPAY, **given: Any
    ) -> PosTerminal:
        with self.database.unit_of_work() as uow:
            held = terminal_store.hold_terminal(uow.connection, number)
            if held is None:
                made = pos_terminals.register(uow, KEEPER, number, MERCHANT, "Gate", DISTRICT, mac)
                held = made.terminal
            master = pos_terminals.master_key(held)
        opened = PosTerminal(self.address, number, MERCHANT, master, held.mac, **given)
        self.opened.append(opened)
        return opened

    def sell(self, terminal: PosTerminal, bill: Bill, minor: int | None = None) -> Any:
        self.sales += 1
        return terminal.sale(
            Target(bill_id=bill.id),
            bill.amount.minor if minor is None else minor,
            reference=f"RRN{self.sales:09d}",
            masked_card="622848******0018",
        )

    def bill(self, bill: Bill) -> Bill:
        with self.database.read() as connection:
            found = services.find_bill(connection, bill.id)
        assert found is not None
        return found

    def clearing_minor(self) -> int:
        with self.database.read() as connection:
            return services.balance(connection, clearing_of("pos")).get("CNY", cny(0)).minor

    def act(self, number: str, batch_no: int, trace: int) -> Act:
        with self.database.unit_of_work() as uow:
            held = terminal_store.hold_terminal(uow.connection, number)
            assert held is not None
            act = act_store.find_act(uow.connection, held.id, batch_no, trace)
        assert act is not None
        return act


@pytest.fixture
def town(database: Database) -> Iterator[Town]:
    host = PosHost(PosLines(partial(answer_frame, database), "127.0.0.1", 0, threads=4))
    made = Town(database, host.start())
    yield made
    for each in made.opened:
        each.close()
    host.stop()


def test_a_shift_at_a_terminal_balances_with_ours_and_the_ledger(town: Town) -> None:
    terminal = town.terminal()
    first, second, third = (owing(town.database, minor) for minor in (900, 500, 1200))
    assert terminal.echo().code == Code.OK
    assert town.sell(terminal, first).code == Code.OK
    assert town.bill(first).state is BillState.PAID
    sold = town.sell(terminal, second)
    # Voided, it is owed again, and paid a second time: by a part and the rest of it.
    assert terminal.void(Original(1, sold.trace), 500).code == Code.OK
    assert (town.bill(second).state, town.bill(second).outstanding) == (BillState.OPEN, cny(500))
    assert [town.sell(terminal, second, part).code for part in (200, 300)] == ["00", "00"]
    sold = town.sell(terminal, third)
    reference = sold.message.text(37)
    assert terminal.refund(Original(1, sold.trace), reference, 1300).code == Code.INVALID
    assert terminal.refund(Original(1, sold.trace), reference, 200).code == Code.OK
    assert town.bill(third).refunded_minor == 200
    settled = terminal.settle()
    assert settled.message.text(48) == "0050000000031000020000000007001"
    assert town.clearing_minor() == 3100 - 700
    assert town.sell(terminal, owing(town.database, 100)).code == Code.BATCH
    assert terminal.sign_in().message.text(60) == "00000002003"
    with town.database.read() as connection:
        owed = services.balance(connection, receivable_of(OPERATOR))["CNY"]
    assert owed == cny(100)


def test_what_is_sold_by_plate_or_stay_is_found_and_no_plate_is_kept(town: Town) -> None:
    terminal = town.terminal(mac=Mac.X9_19)
    with town.database.unit_of_work() as uow:
        vehicle_id = keep_plate(uow, PLATE)
    bills = [owing(town.database, minor, vehicle_id) for minor in (300, 400)]
    by_plate = Target(plate=PLATE)
    told = terminal.inquire(by_plate)
    assert told.message.text(4) == "000000000700"
    assert owed_bills(told) == [(bills[0].id.hex, 300), (bills[1].id.hex, 400)]
    several = terminal.sale(by_plate, 300, reference="RRNPLATE0001")
    assert (several.code, several.message.text(63)) == (Code.INVALID, "several-bills")
    stay = Target(session_id=bills[0].charge.session_id)
    assert terminal.sale(stay, 300, reference="RRNPLATE0002").code == Code.OK
    assert terminal.sale(by_plate, 500, reference="RRNPLATE0003").code == Code.AMOUNT
    assert terminal.sale(by_plate, 400, reference="RRNPLATE0004").code == Code.OK
    assert terminal.sale(by_plate, 400, reference="RRNPLATE0005").code == Code.NOT_FOUND
    assert terminal.inquire(by_plate).code == Code.NOT_FOUND
    assert terminal.inquire(Target(plate=parse_plate("京B00001", PlateKind.BLUE7))).code == "25"


def raw(town: Town, content: bytes) -> Message:
    body = Frame(bytes.fromhex("6000030000"), bytes(6), content).encode()[2:]
    told = answer_frame(town.database, body)
    assert told is not None
    return decode(read_frame(told[2:]).content)


def signed(town: Town, request: Request) -> bytes:
    """Write a request as its terminal would prove it now."""
    with town.database.unit_of_work() as uow:
        held = terminal_store.hold_terminal(uow.connection, request.terminal_no)
    assert held is not None
    message = as_message(request)
    room = encode(Message(message.mti, {**message.fields, 64: bytes(8)}))
    key = pos_terminals.working_key(held, held.session)
    return signed_part(room) + mac_of(held.mac, key, signed_part(room))


def sale_of(bill: Bill, trace: int, reference: str, batch_no: int = 1) -> Request:
    return Request(
        Kind.SALE, "GB000001", MERCHANT, trace, batch_no, amount_minor=bill.amount.minor,
        reference=reference, target=Target(bill_id=bill.id),
    )  # fmt: skip


def test_each_act_has_one_effect_and_the_same_answer_however_often_it_is_told(town: Town) -> None:
    town.terminal().sign_in()
    bill, other = owing(town.database, 900), owing(town.database, 800)
    request = sale_of(bill, 10, "RRN000000010")
    told = [raw(town, signed(town, request)) for _ in range(3)]
    assert [each.text(39) for each in told] == ["00"] * 3
    assert town.clearing_minor() == 900
    # Under its trace and reference nothing else is sold.
    changed = sale_of(other, 10, "RRN000000011")
    assert raw(town, signed(town, changed)).text(39) == Code.REPEATED
    taken = raw(town, signed(town, sale_of(other, 11, "RRN000000010")))
    assert (taken.text(39), taken.text(63)) == (Code.REPEATED, "reference")
    # Refused is refused: also where the bill has come to need money since.
    assert raw(town, signed(town, sale_of(bill, 12, "RRN000000012"))).text(39) == Code.INVALID
    reversal = replace(request, kind=Kind.REVERSAL, reverses=Kind.SALE, target=None, reference="")
    assert [raw(town, signed(town, reversal)).text(39) for _ in range(2)] == ["00", "00"]
    assert town.bill(bill).state is BillState.OPEN
    assert raw(town, signed(town, sale_of(bill, 12, "RRN000000012"))).text(39) == Code.INVALID
    assert raw(town, signed(town, request)).text(39) == Code.INVALID
    assert town.clearing_minor() == 0


def test_a_reversal_that_comes_first_blocks_its_sale(town: Town) -> None:
    town.terminal().sign_in()
    bill = owing(town.database, 900)
    request = sale_of(bill, 10, "RRN000000010")
    reversal = replace(request, kind=Kind.REVERSAL, reverses=Kind.SALE, target=None, reference="")
    assert [raw(town, signed(town, reversal)).text(39) for _ in range(2)] == ["25", "25"]
    blocked = raw(town, signed(town, request))
    assert (blocked.text(39), blocked.text(63)) == (Code.INVALID, "reversed")
    assert (town.bill(bill).state, town.clearing_minor()) == (BillState.OPEN, 0)


def test_a_void_that_is_reversed_leaves_the_sale_as_it_was(town: Town) -> None:
    town.terminal().sign_in()
    bill = owing(town.database, 900)
    assert raw(town, signed(town, sale_of(bill, 10, "RRN000000010"))).text(39) == Code.OK
    void = Request(
        Kind.VOID, "GB000001", MERCHANT, 11, 1, amount_minor=900, original=Original(1, 10)
    )
    assert raw(town, signed(town, void)).text(39) == Code.OK
    again = replace(void, trace=12)
    assert raw(town, signed(town, again)).text(39) == Code.OTHER_ORIGINAL
    reversal = replace(void, kind=Kind.REVERSAL, reverses=Kind.VOID, original=None)
    assert [raw(town, signed(town, reversal)).text(39) for _ in range(2)] == ["00", "00"]
    assert (town.bill(bill).state, town.clearing_minor()) == (BillState.PAID, 900)
    settle = Request(Kind.SETTLEMENT, "GB000001", MERCHANT, 13, 1, totals=Totals(1, 900))
    assert raw(town, signed(town, settle)).text(48)[-1] == "1"


def test_who_is_unknown_locked_or_proves_nothing_is_refused_by_code(town: Town) -> None:
    terminal = town.terminal()
    terminal.sign_in()
    bill = owing(town.database, 900)
    request = sale_of(bill, 10, "RRN000000010")
    good = signed(town, request)
    elsewhere = replace(request, terminal_no="GB999999")
    assert raw(town, encode(as_message(elsewhere))).text(39) == Code.TERMINAL
    assert raw(town, encode(as_message(request))).text(39) == Code.MAC
    assert raw(town, good[:-1] + bytes([good[-1] ^ 1])).text(39) == Code.MAC
    for batch_no, trace, code in ((2, 10, Code.BATCH), (1, 10, Code.OK), (1, 9, Code.REPEATED),
                                  (1, 900, Code.REPEATED)):  # fmt: skip
        told = sale_of(bill, trace, f"RRN{trace:09d}", batch_no)
        assert raw(town, signed(town, told)).text(39) == code
    with town.database.unit_of_work() as uow:
        held = terminal_store.hold_terminal(uow.connection, "GB000001")
        assert held is not None
        pos_terminals.turn(uow, KEEPER, held.id, TerminalState.LOCKED, "lost")
    assert raw(town, signed(town, sale_of(bill, 11, "RRN000000011"))).text(39) == Code.LOCKED
    # What is no message at all is not answered; a message that cannot be read is.
    assert answer_frame(town.database, bytes(40)) is None
    assert raw(town, bytes.fromhex("0200") + b"\xff" * 20).text(39) == Code.FORMAT


def test_the_key_of_a_session_before_is_believed_and_an_older_one_is_not(
    town: Town,
) -> None:
    terminal = town.terminal()
    terminal.sign_in()
    with town.database.unit_of_work() as uow:
        held = terminal_store.hold_terminal(uow.connection, "GB000001")
        assert held is not None
        # Again at once it is the same session; somebody else's sign-in silences nobody.
        assert pos_terminals.sign_in(uow, held).terminal == held
        for _ in range(2):
            terminal_store.write_terminal(uow.connection, replace(held, session=held.session + 1))
    assert terminal.inquire(Target(bill_id=uuid7())).code == Code.NOT_FOUND
    with town.database.unit_of_work() as uow:
        given = pos_terminals.give_key(uow, KEEPER, held.id)
    assert terminal.inquire(Target(bill_id=uuid7())).code == Code.MAC
    with town.database.unit_of_work() as uow:
        told = pos_terminals.sign_in(uow, given.terminal).wrapped_key
    assert unwrapped(given.master, told) is not None
    assert unwrapped(pos_terminals.master_key(held), told) is None


@pytest.mark.parametrize("seed", [1, 7])
def test_terminals_that_fail_as_real_ones_do_lose_and_double_nothing(
    town: Town, tmp_path: Path, seed: int
) -> None:
    faults = Faults(lost=0.25, twice=0.2, overtaken=0.2, cut=0.2)
    path = tmp_path / "terminal.json"
    terminal = town.terminal(memory=remembered(path), faults=faults, seed=seed)
    bills = [owing(town.database, 100 + number) for number in range(12)]
    for number, bill in enumerate(bills):
        try:
            town.sell(terminal, bill)
        except NoAnswer:
            continue
        except PowerCut:
            # Switched on again it knows what it had written down, and nothing else.
            terminal = town.terminal(memory=remembered(path), faults=faults, seed=seed + number)
    assert terminal.recover() is None or terminal.memory.pending is None
    paid = [bill for bill in bills if town.bill(bill).state is BillState.PAID]
    assert {each.amount_minor for each in terminal.memory.done} == {
        bill.amount.minor for bill in paid
    }
    assert 0 < len(paid) < len(bills)
    assert town.clearing_minor() == sum(bill.amount.minor for bill in paid)
    assert terminal.settle().message.text(48)[-1] == "1"


def test_what_a_batch_differs_in_is_kept_for_the_desk(town: Town) -> None:
    memory = Memory()
    terminal = town.terminal(memory=memory)
    assert [town.sell(terminal, owing(town.database, minor)).code for minor in (900, 700)] == (
        ["00", "00"]
    )
    kept = memory.done[0]
    memory.done[:] = [replace(kept, amount_minor=950), Uploaded(99, Kind.SALE, 40)]
    assert terminal.settle().message.text(48)[-1] == "2"
    with town.database.read() as connection:
        rows = connection.execute(
            text(
                "select kind, effect_minor, order_no from payments.difference"
                " where channel = 'pos-batches' order by order_no"
            )
        ).all()
    assert [tuple(row) for row in rows] == [
        ("amount", 0, f"GB000001-000001-{kept.trace:06d}"),
        ("ours-only", 0, f"GB000001-000001-{kept.trace + 1:06d}"),
        ("theirs-only", 0, "GB000001-000001-000099"),
    ]
    # A batch that agrees later takes none of them away.
    assert terminal.sign_in().code == Code.OK
    assert terminal.settle().message.text(48)[-1] == "1"
    with town.database.read() as connection:
        states = connection.execute(text("select distinct state from payments.difference")).all()
    assert [row.state for row in states] == ["open"]


def test_a_parking_card_pays_at_a_terminal_and_has_it_back(town: Town) -> None:
    terminal = town.terminal()
    bill = owing(town.database, 900)
    with town.database.unit_of_work() as uow:
        issued = cards.issue(uow, "attendant-1", None)
        cards.top_up_in_cash(uow, issued.card.id, cny(1000), "attendant-1")
        keep_cards.bind_reader(uow, DESK, issued.card.number, issued.code, "04A1B2C3")

    def holds() -> int:
        with town.database.unit_of_work() as uow:
            return cards.held(uow, issued.card.id).balance.minor

    assert terminal.sale(Target(bill_id=bill.id), 900, reader="FFFFFFFF").code == Code.NOT_FOUND
    sold = terminal.sale(Target(bill_id=bill.id), 900, reader="04A1B2C3")
    assert (sold.code, holds(), town.bill(bill).state) == (Code.OK, 100, BillState.PAID)
    assert len(sold.message.text(37)) == 12
    assert terminal.void(Original(1, sold.trace), 900).code == Code.OK
    assert (holds(), town.bill(bill).state) == (1000, BillState.OPEN)
    dearer = owing(town.database, 1001)
    assert terminal.sale(Target(bill_id=dearer.id), 1001, reader="04A1B2C3").code == Code.FUNDS
    assert terminal.settle().message.text(48)[-1] == "1"


def test_a_terminal_gives_back_no_more_than_its_limit(town: Town) -> None:
    terminal = town.terminal()
    bill = owing(town.database, 30_000)
    sold = town.sell(terminal, bill)
    of = Original(1, sold.trace), sold.message.text(37)
    assert terminal.refund(*of, 20_001).code == Code.LIMIT
    assert terminal.refund(*of, 20_000).code == Code.OK
    assert terminal.refund(of[0], "RRN999999999", 1).code == Code.NOT_FOUND
    assert terminal.void(of[0], 30_000).code == Code.INVALID


def test_no_card_number_and_no_key_is_in_the_database_or_a_log(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = town.terminal()
    bill = owing(town.database, 900)
    assert town.sell(terminal, bill).code == Code.OK
    message = as_message(sale_of(bill, 20, "RRN000000020"))
    track = bytes.fromhex("37" + PAN + "D" + "2512101" + "0" * 10 + "F")
    for number, value in ((2, bytes.fromhex("19" + PAN + "0")), (35, track), (52, bytes(8))):
        content = bytearray(encode(message) + value)
        content[2 + (number - 1) // 8] |= 1 << (7 - (number - 1) % 8)
        assert raw(town, bytes(content)).text(39) == Code.FORMAT
    for place in (62, 63):
        said = f"B={bill.id.hex};M={PAN}".encode() if place == 62 else PAN
        fields = {**message.fields, place: said}
        assert raw(town, encode(Message("0200", fields))).text(39) == Code.FORMAT
    with town.database.unit_of_work() as uow:
        held = terminal_store.hold_terminal(uow.connection, "GB000001")
        assert held is not None
        keys = [pos_terminals.master_key(held), pos_terminals.working_key(held, held.session)]
        tables = uow.connection.execute(
            text(
                "select format('%I.%I', schemaname, tablename) as name from pg_tables"
                " where schemaname in ('payments', 'audit', 'vault', 'works')"
            )
        ).scalars()
        rows = [
            json.dumps(list(uow.connection.execute(text(query)).scalars()))
            for query in [f"select to_jsonb(t)::text from {name} t" for name in tables]  # noqa: S608 - names are the catalogue's
        ]
    said = "".join(rows) + capsys.readouterr().out + capsys.readouterr().err
    assert "RRN000000001" in said  # what is looked for would be found
    assert "622848******0018" in said
    secrets = [PAN, *(form for key in keys for form in (key.hex(), key.hex().upper()))]
    assert [each for each in secrets if each in said] == []
