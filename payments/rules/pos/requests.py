"""What a POS terminal asks for: a message of the wire as a request with a meaning, and back.

Pure. The kind of a message follows from its type, field 3 and field 60; what a sale is for stands
in the private field 62. Nothing that could be a card's number passes: of a card the masked form
alone, first six and last four digits.

Source: the table of message types, processing codes and field 60 types of UnionPay's POS terminal
specification as public pages restate it; the response codes likewise. Field 62 of a sale, and the
record of a batch upload without card numbers, are ours (`docs/pos.md`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Final
from uuid import UUID

from city.errors import Invalid
from city.vehicles import PlateKind, PlateNumber, parse_plate
from payments.rules.pos.iso8583 import Message, Value

CURRENCY_CODE: Final = "156"
"""ISO 4217: yuan."""
TEXT_CODE: Final = "gbk"
"""Code of the private field: terminals in China write plates in it."""
DOUBLE_LENGTH: Final = "003"
"""Network management: sign in and get keys of double length."""
MOST_UPLOADED: Final = 15
_UPLOAD_DIGITS: Final = 20
_TOTALS_DIGITS: Final = 30
_LUHN: Final = 10
_DIGITS_OF_A_CARD: Final = re.compile(r"(?<!\d)\d{13,19}(?!\d)")
_MASKED: Final = re.compile(r"\d{6}\*{3,9}\d{4}")
_REFERENCE: Final = re.compile(r"[0-9A-Za-z]{12}")
_READER: Final = re.compile(r"[0-9A-Za-z:_-]{4,64}")
_OPERATOR: Final = re.compile(r"\d{1,4}")
TERMINAL_FORM: Final = re.compile(r"[0-9A-Z]{8}")
MERCHANT_FORM: Final = re.compile(r"[0-9A-Z]{15}")


class Kind(StrEnum):
    """What is asked for."""

    SIGN_IN = "sign-in"
    SIGN_OUT = "sign-out"
    ECHO = "echo"
    INQUIRY = "inquiry"
    """What is owed for a bill, a stay or a plate; or what is to go back of a sale."""
    SALE = "sale"
    VOID = "void"
    """A sale of the same batch taken back whole."""
    REFUND = "refund"
    REVERSAL = "reversal"
    """Of a sale or void whose answer never came: it is not to have happened."""
    SETTLEMENT = "settlement"
    UPLOAD = "upload"
    UPLOAD_END = "upload-end"


class Code(StrEnum):
    """Field 39 of an answer."""

    OK = "00"
    MERCHANT = "03"
    INVALID = "12"
    """What it is for takes no money, or was taken back."""
    AMOUNT = "13"
    OTHER_ORIGINAL = "22"
    """The original is there, and cannot be taken back like this."""
    NOT_FOUND = "25"
    FORMAT = "30"
    UNSUPPORTED = "40"
    FUNDS = "51"
    """The parking card does not pay."""
    LOCKED = "58"
    LIMIT = "61"
    ORIGINAL_AMOUNT = "64"
    BATCH = "77"
    """Another batch: sign in again."""
    REPEATED = "94"
    """A trace or reference that was used for something else, or out of order."""
    SYSTEM = "96"
    TERMINAL = "97"
    MAC = "A0"


REVERSED: Final = frozenset({Code.OK, Code.NOT_FOUND, Code.INVALID})
"""A reversal answered so has succeeded: what it reverses counts no more, or never did."""
SIGNED: Final = frozenset(Kind) - {Kind.SIGN_IN, Kind.SIGN_OUT, Kind.ECHO}
"""Kinds that carry a MAC."""
MOVES_MONEY: Final = frozenset({Kind.SALE, Kind.VOID, Kind.REFUND})

_TYPE_CODES: Final[Mapping[Kind, str]] = {Kind.SALE: "22", Kind.VOID: "23", Kind.REFUND: "25"}
_OF_TYPE: Final = {code: kind for kind, code in _TYPE_CODES.items()}
# By message type, processing code (where it has one), type of field 60, and its network code.
_KINDS: Final[Mapping[tuple[str, str, str, str], Kind]] = {
    ("0800", "", "00", DOUBLE_LENGTH): Kind.SIGN_IN,
    ("0820", "", "00", "002"): Kind.SIGN_OUT,
    ("0820", "", "00", "301"): Kind.ECHO,
    ("0200", "310000", "01", ""): Kind.INQUIRY,
    ("0200", "000000", "22", ""): Kind.SALE,
    ("0200", "200000", "23", ""): Kind.VOID,
    ("0220", "200000", "25", ""): Kind.REFUND,
    ("0400", "000000", "22", ""): Kind.REVERSAL,
    ("0400", "200000", "23", ""): Kind.REVERSAL,
    ("0500", "", "00", "201"): Kind.SETTLEMENT,
    ("0320", "", "00", "201"): Kind.UPLOAD,
    ("0320", "", "00", "202"): Kind.UPLOAD_END,
    ("0320", "", "00", "207"): Kind.UPLOAD_END,
}
_ASKED_AS: Final = {kind: key for key, kind in reversed(list(_KINDS.items()))}


class BadRequest(Exception):
    """A message that asks for nothing we do: with the code that answers it and where it is wrong.

    Parameters
    ----------
    code : Code
    where : str
        The field; never what stood there.
    """

    def __init__(self, code: Code, where: str) -> None:
        super().__init__(f"{where}: {code.value}")
        self.code = code
        self.where = where


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be paid: one of the three; a plate is looked up and kept nowhere."""

    bill_id: UUID | None = None
    session_id: UUID | None = None
    plate: PlateNumber | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Original:
    """The act that a void or refund is of: batch and trace of this terminal."""

    batch_no: int
    trace: int


@dataclass(frozen=True, slots=True)
class Totals:
    """What a batch holds: sales, and what went back (voids and refunds), counts and minor units."""

    sales: int = 0
    sales_minor: int = 0
    back: int = 0
    back_minor: int = 0

    @property
    def net_minor(self) -> int:
        """What is left with the acquirer."""
        return self.sales_minor - self.back_minor


@dataclass(frozen=True, slots=True, order=True)
class Uploaded:
    """One act as the terminal holds it."""

    trace: int
    kind: Kind
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a terminal.

    Parameters
    ----------
    kind : Kind
    terminal_no, merchant_no : str
        Fields 41 and 42.
    trace : int
        1 to 999999; of a reversal the trace of what it reverses.
    batch_no : int
        0 where the terminal knows of none yet.
    amount_minor : int
        0 where there is none.
    reference : str
        The acquirer's reference number (field 37); empty where the parking card pays.
    reverses : Kind or None
        What a reversal is of.
    original : Original or None
        What a void or refund is of.
    target : Target or None
        What a sale or inquiry is for.
    reader : str
        What a reader read off a parking card; empty where another card paid.
    masked_card : str
        First six and last four digits, where the terminal tells them.
    operator : str
        The person's number at the terminal.
    totals : Totals or None
    uploaded : tuple of Uploaded
    """

    kind: Kind
    terminal_no: str
    merchant_no: str
    trace: int
    batch_no: int
    amount_minor: int = 0
    reference: str = ""
    reverses: Kind | None = None
    original: Original | None = None
    target: Target | None = None
    reader: str = field(default="", repr=False)
    masked_card: str = ""
    operator: str = ""
    totals: Totals | None = None
    uploaded: tuple[Uploaded, ...] = ()


def read_request(message: Message) -> Request:
    """Read what a message asks for.

    Raises
    ------
    BadRequest
        With the code of the answer: what we do not do, a field that is missing or wrong, or
        something that could be a card's number.
    """
    told = message.text(60)
    mti, process = message.mti, message.text(3)
    kind = _KINDS.get((mti, process, told[:2], "" if process else told[8:11]))
    if kind is None:
        raise BadRequest(Code.UNSUPPORTED, "mti")
    reverses = _OF_TYPE[told[:2]] if kind is Kind.REVERSAL else None
    does = reverses or kind
    money = does in MOVES_MONEY
    trace = int(_matched(message, 11, re.compile(r"\d{6}")))
    if not trace or len(told) < 8:  # noqa: PLR2004 - type and batch
        raise BadRequest(Code.FORMAT, "field 60" if trace else "field 11")
    if money and message.text(49) != CURRENCY_CODE:
        raise BadRequest(Code.AMOUNT, "field 49")
    amount_minor = int(message.text(4) or 0)
    if money and not amount_minor:
        raise BadRequest(Code.AMOUNT, "field 4")
    said = _said(message, kind)
    reader = said.get("C", "")
    if kind is Kind.SALE and bool(reader) == bool(message.text(37).strip()):
        # Either the acquirer's card paid and has its reference, or the parking card is to.
        raise BadRequest(Code.FORMAT, "field 37")
    return Request(
        kind=kind,
        terminal_no=_matched(message, 41, TERMINAL_FORM),
        merchant_no=_matched(message, 42, MERCHANT_FORM),
        trace=trace,
        batch_no=int(told[2:8]),
        amount_minor=amount_minor,
        reference=_matched(message, 37, _REFERENCE, missing=True),
        reverses=reverses,
        original=_original(message) if does in {Kind.VOID, Kind.REFUND} else None,
        target=_target(said) if _names_target(message, kind) else None,
        reader=reader,
        masked_card=said.get("M", ""),
        operator=_matched(message, 63, _OPERATOR, missing=True),
        totals=_totals(message) if kind is Kind.SETTLEMENT else None,
        uploaded=_uploaded(message) if kind is Kind.UPLOAD else (),
    )


def as_message(request: Request) -> Message:
    """Write a request as terminals do; its MAC is added by who sends it."""
    mti, process, type_code, network = _ASKED_AS[request.kind]
    does = request.reverses or request.kind
    if request.kind is Kind.REVERSAL:
        process, type_code = ("000000", "22") if does is Kind.SALE else ("200000", "23")
    fields: dict[int, Value] = {
        11: f"{request.trace:06d}",
        41: request.terminal_no,
        42: request.merchant_no,
        60: f"{type_code}{request.batch_no:06d}{network}",
    }
    if process:
        fields[3] = process
    if does in MOVES_MONEY:
        fields |= {4: f"{request.amount_minor:012d}", 22: "021", 25: "00", 49: CURRENCY_CODE}
    if request.kind is Kind.REVERSAL:
        fields[39] = "98"  # no answer came
    if request.reference:
        fields[37] = request.reference
    if request.original is not None:
        fields[61] = f"{request.original.batch_no:06d}{request.original.trace:06d}"
    said = write_target(request)
    if said:
        fields[62] = said.encode(TEXT_CODE)
    if request.operator:
        fields[63] = request.operator
    return Message(mti, fields | _batch_fields(request))


def _batch_fields(request: Request) -> dict[int, Value]:
    fields: dict[int, Value] = {}
    if request.totals is not None:
        fields |= {48: written_totals(request.totals) + "0", 49: CURRENCY_CODE}
    if request.uploaded:
        rows = "".join(
            f"{_TYPE_CODES[each.kind]}{each.trace:06d}{each.amount_minor:012d}"
            for each in request.uploaded
        )
        fields[48] = f"{len(request.uploaded):02d}{rows}"
    return fields


def write_target(request: Request) -> str:
    """Write what a sale or inquiry is for, and by which card, as field 62 has it."""
    said = []
    target = request.target
    if target is not None and target.bill_id is not None:
        said.append(f"B={target.bill_id.hex}")
    if target is not None and target.session_id is not None:
        said.append(f"S={target.session_id.hex}")
    if target is not None and target.plate is not None:
        said.append(f"P={target.plate.kind.value},{target.plate.text}")
    if request.reader:
        said.append(f"C={request.reader}")
    if request.masked_card:
        said.append(f"M={request.masked_card}")
    return ";".join(said)


def written_totals(totals: Totals) -> str:
    """Write the first thirty digits of field 48 of a settlement."""
    return f"{totals.sales:03d}{totals.sales_minor:012d}{totals.back:03d}{totals.back_minor:012d}"


def looks_like_a_card(text: str) -> bool:
    """Tell whether thirteen to nineteen digits in a row check themselves as card numbers do."""
    return any(_luhn(found.group()) for found in _DIGITS_OF_A_CARD.finditer(text))


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled - 9 if doubled > 9 else doubled  # noqa: PLR2004 - the sum of its digits
    return total % _LUHN == 0


def _matched(message: Message, number: int, form: re.Pattern[str], *, missing: bool = False) -> str:
    text = message.text(number).rstrip(" ")
    if (missing and not text) or form.fullmatch(text):
        return text
    raise BadRequest(Code.FORMAT, f"field {number}")


def _said(message: Message, kind: Kind) -> dict[str, str]:
    """Read field 62: ``NAME=VALUE`` parted by semicolons, each name once."""
    raw = message.raw(62)
    if not raw or kind not in {Kind.SALE, Kind.INQUIRY}:
        return {}
    wrong = BadRequest(Code.FORMAT, "field 62")
    try:
        parts = [each.partition("=") for each in raw.decode(TEXT_CODE).split(";")]
    except UnicodeDecodeError:
        raise wrong from None
    said = {name: value for name, _, value in parts}
    if len(said) != len(parts) or not said.keys() <= {"B", "S", "P", "C", "M"}:
        raise wrong
    for name, form in (("C", _READER), ("M", _MASKED)):
        value = said.get(name)
        if value is not None and (not form.fullmatch(value) or looks_like_a_card(value)):
            raise wrong
    return said


def _names_target(message: Message, kind: Kind) -> bool:
    """Tell whether field 62 has to say what is meant; an inquiry may name a sale in its place."""
    of_sale = kind is Kind.INQUIRY and bool(message.text(37).strip()) and not message.raw(62)
    return kind in {Kind.SALE, Kind.INQUIRY} and not of_sale


def _target(said: Mapping[str, str]) -> Target:
    wrong = BadRequest(Code.FORMAT, "field 62")
    if len(said.keys() & {"B", "S", "P"}) != 1:
        raise wrong
    try:
        if "B" in said:
            return Target(bill_id=UUID(said["B"]))
        if "S" in said:
            return Target(session_id=UUID(said["S"]))
        kind, _, text = said["P"].rpartition(",")
        return Target(plate=parse_plate(text, PlateKind(kind) if kind else None))
    except (ValueError, Invalid):
        raise wrong from None


def _original(message: Message) -> Original | None:
    told = message.text(61)
    if len(told) < 12:  # noqa: PLR2004 - batch and trace
        if message.mti == "0400":
            return None  # of a void: its own trace says which
        raise BadRequest(Code.FORMAT, "field 61")
    return Original(int(told[:6]), int(told[6:12]))


def _totals(message: Message) -> Totals:
    told = message.text(48)
    if len(told) < _TOTALS_DIGITS or message.text(49) != CURRENCY_CODE:
        raise BadRequest(Code.FORMAT, "field 48")
    ends = (0, 3, 15, 18, 30)
    return Totals(*(int(told[start:end]) for start, end in pairwise(ends)))


def _uploaded(message: Message) -> tuple[Uploaded, ...]:
    told = message.text(48)
    wrong = BadRequest(Code.FORMAT, "field 48")
    count = int(told[:2] or 0)
    if not 1 <= count <= MOST_UPLOADED or len(told) != 2 + count * _UPLOAD_DIGITS:
        raise wrong
    rows = []
    for at in range(2, len(told), _UPLOAD_DIGITS):
        kind = _OF_TYPE.get(told[at : at + 2])
        if kind is None:
            raise wrong
        rows.append(Uploaded(int(told[at + 2 : at + 8]), kind, int(told[at + 8 : at + 20])))
    return tuple(rows)
