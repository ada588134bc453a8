"""What POS terminals say is read strictly, proved by a MAC, and never carries a card."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from city.vehicles import PlateKind, parse_plate
from payments.rules.differences import DifferenceKind
from payments.rules.pos.answers import answer
from payments.rules.pos.batches import LAST_TRACE, WINDOW, compare, following, in_window, totals_of
from payments.rules.pos.iso8583 import (
    CARD_DATA,
    FIELDS,
    BadMessage,
    Fault,
    Form,
    Message,
    decode,
    encode,
    read_frame,
)
from payments.rules.pos.mac import Mac, is_mac, mac_of, unwrapped, with_parity, wrapped
from payments.rules.pos.requests import (
    BadRequest,
    Code,
    Kind,
    Original,
    Request,
    Target,
    Totals,
    Uploaded,
    as_message,
    looks_like_a_card,
    read_request,
)

BILL = UUID("019cab00-0000-7000-8000-000000000001")
SALE = Request(
    Kind.SALE,
    "GB000001",
    "898330154110001",
    42,
    7,
    amount_minor=1250,
    reference="RRN000000042",
    target=Target(bill_id=BILL),
    masked_card="622848******1234",
    operator="001",
)


def value(number: int) -> st.SearchStrategy[str | bytes]:
    known = FIELDS[number]
    long = known.form in {Form.LONG_DIGITS, Form.LONG_TEXT, Form.LONG_BYTES}
    lengths = st.integers(0, known.length) if long else st.just(known.length)
    if known.form in {Form.BYTES, Form.LONG_BYTES}:
        return lengths.flatmap(lambda n: st.binary(min_size=n, max_size=n))
    letters = "0123456789" if known.form in {Form.DIGITS, Form.LONG_DIGITS} else "0189AZaz *"
    return lengths.flatmap(lambda n: st.text(letters, min_size=n, max_size=n))


messages = st.sets(st.sampled_from(sorted(FIELDS)), max_size=6).flatmap(
    lambda numbers: st.fixed_dictionaries({n: value(n) for n in sorted(numbers)}).map(
        lambda fields: Message("0200", fields)
    )
)


def test_a_sale_is_written_as_the_field_table_says() -> None:
    fields: dict[int, str | bytes] = {
        3: "000000", 4: "000000001250", 11: "000042", 22: "021", 25: "00", 39: "00",
        41: "GB000001", 49: "156", 60: "22000007", 62: "B=京A12345".encode("gbk"),
    }  # fmt: skip
    content = encode(Message("0200", fields))
    # Type, bitmap, then BCD: an odd number of digits ends in a zero nibble; lengths in BCD.
    assert content.hex() == (
        "0200" "3020048002808014" "000000" "000000001250" "000042" "0210" "00" "3030"
        "4742303030303031" "313536" "0008" "22000007" "0010" "423dbea9413132333435"
    )  # fmt: skip
    assert decode(content).fields == fields


@settings(max_examples=60)
@given(messages)
def test_what_is_written_is_read_again(message: Message) -> None:
    content = encode(message)
    assert decode(content) == message
    for end in range(len(content)):
        with pytest.raises(BadMessage):
            decode(content[:end])


@settings(max_examples=150)
@given(st.binary(max_size=80))
@example(bytes.fromhex("0200" + "8000000000000000"))
@example(encode(as_message(SALE)) + b"0")
def test_other_bytes_are_refused_or_read_and_written_the_same(content: bytes) -> None:
    try:
        message = decode(content)
    except BadMessage as bad:
        assert bad.where  # noqa: PT017 - nothing but a refusal that says where may come
        return
    assert encode(message) == content


@settings(max_examples=80)
@given(st.integers(0, 600), st.integers(0, 255))
def test_a_message_that_is_altered_is_refused_or_asks_for_something_of_its_form(
    place: int, other: int
) -> None:
    content = bytearray(encode(as_message(SALE)))
    content[place % len(content)] = other
    try:
        read_request(decode(bytes(content)))
    except (BadMessage, BadRequest) as refused:
        assert refused.where  # noqa: PT017 - these two alone may come


@pytest.mark.parametrize("number", sorted(CARD_DATA))
def test_a_message_with_card_data_is_refused_before_any_of_it_is_read(number: int) -> None:
    bits = (1 << (64 - number)).to_bytes(8, "big")
    with pytest.raises(BadMessage) as bad:
        decode(b"\x02\x00" + bits + b"\x19" + b"\x62" * 40)
    assert (bad.value.fault, bad.value.mti) == (Fault.CARD_DATA, "0200")


def test_frames_that_are_too_short_or_too_long_are_refused() -> None:
    for length in (0, 20, 2049):
        with pytest.raises(BadMessage):
            read_frame(bytes(length))
    frame = read_frame(bytes.fromhex("6000030001") + bytes(16))
    assert frame.reply(b"").tpdu.hex() == "6000010003"


def test_unionpays_mac_is_that_of_a_published_example() -> None:
    # Key, exclusive or of the message and MAC as a public page works them out.
    key = bytes.fromhex("55036372B17543ECB173730768B8D6C4")
    assert mac_of(Mac.UNIONPAY, key, bytes.fromhex("1212B04E1227809C")) == b"5FE058DB"


def test_the_retail_mac_is_that_of_the_standards_example() -> None:
    # ISO/IEC 9797-1, algorithm 3, padding 1: this very text.
    key = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
    assert mac_of(Mac.X9_19, key, b"Now is the time for all ").hex() == "a1c72e74ea3fa9b6"


@settings(max_examples=30)
@given(st.binary(min_size=1, max_size=60), st.integers(0, 479), st.sampled_from(Mac))
def test_another_text_has_another_mac(signed: bytes, bit: int, which: Mac) -> None:
    key = with_parity(bytes(range(16)))
    place = bit % (8 * len(signed))
    other = bytearray(signed)
    other[place // 8] ^= 1 << place % 8
    told = mac_of(which, key, signed)
    assert is_mac(which, key, signed, told)
    assert not is_mac(which, key, bytes(other), told)


def test_a_working_key_travels_under_the_master_key() -> None:
    master, key = with_parity(secrets.token_bytes(16)), with_parity(secrets.token_bytes(16))
    told = wrapped(master, key)
    assert key not in told
    assert unwrapped(master, told) == key
    assert unwrapped(with_parity(bytes(16)), told) is None
    assert unwrapped(master, told[:-1]) is None


REQUESTS = (
    SALE,
    Request(Kind.SIGN_IN, "GB000001", "898330154110001", 1, 0),
    Request(Kind.ECHO, "GB000001", "898330154110001", 2, 7),
    Request(
        Kind.SALE, "GB000001", "898330154110001", 43, 7, amount_minor=1, reader="04A1:B2_c3",
        target=Target(plate=parse_plate("京A12345", PlateKind.BLUE7)),
    ),
    Request(
        Kind.VOID, "GB000001", "898330154110001", 44, 7, amount_minor=1250,
        original=Original(7, 42),
    ),
    Request(
        Kind.REFUND, "GB000001", "898330154110001", 45, 7, amount_minor=50,
        reference="RRN000000042", original=Original(7, 42),
    ),
    Request(
        Kind.REVERSAL, "GB000001", "898330154110001", 42, 7, amount_minor=1250, reverses=Kind.SALE
    ),
    Request(
        Kind.SETTLEMENT, "GB000001", "898330154110001", 46, 7, totals=Totals(3, 3000, 1, 50)
    ),
    Request(
        Kind.UPLOAD, "GB000001", "898330154110001", 47, 7,
        uploaded=(Uploaded(42, Kind.SALE, 1250), Uploaded(45, Kind.REFUND, 50)),
    ),
    Request(Kind.UPLOAD_END, "GB000001", "898330154110001", 48, 7),
)  # fmt: skip


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda each: each.kind.value)
def test_what_a_terminal_asks_for_is_what_is_read(request_: Request) -> None:
    assert read_request(decode(encode(as_message(request_)))) == request_


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({3: "190000"}, Code.UNSUPPORTED),
        ({4: "000000000000"}, Code.AMOUNT),
        ({11: "000000"}, Code.FORMAT),
        ({37: "            "}, Code.FORMAT),
        ({41: "gb 00001"}, Code.FORMAT),
        ({49: "840"}, Code.AMOUNT),
        ({60: "22"}, Code.FORMAT),
        ({62: b"B=one;B=two"}, Code.FORMAT),
        ({62: b"B=" + BILL.hex.encode() + b";M=6228480000000001234"}, Code.FORMAT),
        ({62: b"B=" + BILL.hex.encode() + b";C=4111111111111111"}, Code.FORMAT),
        ({62: b"P=\xff\xff\xff"}, Code.FORMAT),
        ({62: "P=XX".encode("gbk")}, Code.FORMAT),
        ({63: "6228480402564890018"}, Code.FORMAT),
    ],
)
def test_what_is_wrong_with_a_sale_is_answered_by_its_code(
    changed: dict[int, str | bytes], code: Code
) -> None:
    message = as_message(SALE)
    fields = dict(message.fields) | changed
    with pytest.raises(BadRequest) as bad:
        read_request(Message(message.mti, fields))
    assert bad.value.code is code


def test_card_numbers_are_known_by_their_last_digit() -> None:
    assert looks_like_a_card("6228480402564890018")
    assert looks_like_a_card("x4111111111111111y")
    assert not looks_like_a_card("4111111111111112")
    assert not looks_like_a_card("622848******1234")


def test_an_answer_tells_our_time_in_china() -> None:
    at = datetime(2026, 3, 1, 17, 5, 9, tzinfo=UTC)
    told = answer(as_message(SALE), Code.OK, at)
    assert (told.mti, told.text(12), told.text(13)) == ("0210", "010509", "0302")
    assert (told.text(4), 62 in told.fields, 63 in told.fields) == ("000000001250", False, False)


@given(st.integers(1, LAST_TRACE))
def test_the_next_trace_is_in_the_window_and_the_last_one_is_not(last: int) -> None:
    assert in_window(last, following(last))
    assert not in_window(last, last)
    assert not in_window(last, (last + WINDOW) % LAST_TRACE + 1)


acts = st.lists(
    st.builds(
        Uploaded, st.integers(1, 9), st.sampled_from([Kind.SALE, Kind.REFUND]), st.integers(1, 3)
    ),
    max_size=6,
    unique_by=lambda each: (each.trace, each.kind),
)


@settings(max_examples=60)
@given(acts, acts)
def test_a_batch_differs_in_what_one_side_has_and_by_as_much(
    told: list[Uploaded], ours: list[Uploaded]
) -> None:
    found = compare(told, ours)
    assert sum(each.effect_minor for each in found) == (
        totals_of(told).net_minor - totals_of(ours).net_minor
    )
    assert {each.kind for each in compare(told, told)} == set()
    assert {each.kind for each in compare((), ours)} <= {
        DifferenceKind.OURS_ONLY,
        DifferenceKind.REFUND_OURS_ONLY,
    }
