"""UnionPay's merchant bill (ZM): fields of fixed width in GBK, one space apart, in a zip.

Source: UnionPay ACP access specification, part 3 (files), 6.1; widths as the public SDKs read
them. The type of a row is taken from ``txnType``, which is the message's own.
"""

import binascii
import io
import re
import zipfile
import zlib
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Final

from city.errors import Invalid
from city.money import Money
from payments.rules.channel_bills.lines import (
    CHINA,
    CURRENCY,
    Bill,
    BillLine,
    LineKind,
    read_rows,
)

_WIDTHS: Final = (
    3, 11, 11, 6, 10, 19, 12, 4, 2, 21, 2, 32, 2, 6, 10, 13, 13, 4, 15, 2, 2, 6, 2, 4, 32, 1, 21,
    15, 1, 15, 32, 13, 13, 8, 32, 13, 13, 12, 2, 1, 32, 98,
)  # fmt: skip
_CODE, _AGENT, _SENDER, _TRACE, _AT, _ACCOUNT, _AMOUNT = range(7)
_QUERY_ID, _ORDER, _FEE, _SETTLED = 9, 11, 15, 16
_TYPE, _SUBTYPE, _PRODUCT, _ORIGINAL_QUERY_ID, _MERCHANT, _NET, _ORIGINAL_ORDER = (
    19, 20, 21, 26, 27, 32, 40,
)  # fmt: skip
_ROW_BYTES: Final = sum(_WIDTHS) + len(_WIDTHS) - 1
_KINDS: Final = {"01": LineKind.PAYMENT, "04": LineKind.REFUND, "31": LineKind.VOID}
_TYPES: Final = {
    LineKind.PAYMENT: ("S22", "01", "07"),
    LineKind.REFUND: ("S30", "04", "00"),
    LineKind.VOID: ("S32", "31", "00"),
}
_NAME: Final = re.compile(r"INN(\d\d)(\d\d)(\d\d)\d\dZM_", re.ASCII)
_DECEMBER: Final = 12
_MOST_BYTES: Final = 1024 * 1024 * 1024


def write_trade(lines: Sequence[BillLine], merchant: str, day: date) -> bytes:
    """Write a settlement day's bill as UnionPay's zip of one ZM file."""
    rows = [_row(line, index) for index, line in enumerate(lines, 1)]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"INN{day:%y%m%d}88ZM_{merchant}", b"".join(row + b"\r\n" for row in rows))
    return packed.getvalue()


def read_trade(content: bytes, day: date) -> Bill:
    """Read a bill's zip; one pass, a bad row is named and the rest go on.

    Parameters
    ----------
    content : bytes
        The zip.
    day : date
        The settlement day: rows write no year.

    Returns
    -------
    Bill
        ``stated`` is None: the file states no totals.

    Raises
    ------
    Invalid
        Where it is not such a zip or holds no ZM file.
    """
    numbered = [
        (number, row.rstrip(b"\r"))
        for number, row in enumerate(_member(content)[1].split(b"\n"), 1)
        if row.strip()
    ]
    lines, rejected = read_rows(numbered, "latin-1", lambda row: _line(row, day))
    return Bill(tuple(lines), tuple(rejected), None)


def settlement_day(content: bytes) -> date:
    """Give the settlement day that the name of the file inside states: ``INNyymmdd88ZM_…``.

    Raises
    ------
    Invalid
        Where it is not such a zip, or the name states no day.
    """
    found = _NAME.search(_member(content)[0])
    if found is None:
        raise Invalid("the name of the ZM file states no day", field="bill")
    try:
        return date(2000 + int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        raise Invalid("the name of the ZM file states no true day", field="bill") from None


def pack(archive: bytes) -> str:
    """Write a zip as ``fileContent`` of a file transfer: base64 over DEFLATE."""
    return b64encode(zlib.compress(archive)).decode("ascii")


def unpack(file_content: str) -> bytes:
    """Read ``fileContent``; Invalid where it does not unpack or is larger than 1 GiB."""
    try:
        content = zlib.decompressobj().decompress(
            b64decode(file_content, validate=True), _MOST_BYTES + 1
        )
    except (binascii.Error, ValueError, zlib.error):
        raise Invalid("does not unpack", field="fileContent") from None
    if len(content) > _MOST_BYTES:
        raise Invalid("is larger than 1 GiB", field="fileContent")
    return content


def _member(content: bytes) -> tuple[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.infolist():
                if "ZM_" in member.filename:
                    if member.file_size > _MOST_BYTES:
                        raise Invalid("unpacks to more than 1 GiB", field="bill")
                    return member.filename, archive.read(member)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError):
        raise Invalid("is not a zip that opens", field="bill") from None
    raise Invalid("holds no ZM file", field="bill")


def _row(line: BillLine, trace: int) -> bytes:
    payment = line.kind is LineKind.PAYMENT
    code, kind, subtype = _TYPES[line.kind]
    net_minor = (line.amount.minor if payment else -line.amount.minor) - line.fee.minor
    cells = [""] * len(_WIDTHS)
    cells[_CODE] = code
    cells[_TRACE] = f"{trace % 1_000_000:06d}"
    cells[_AT] = line.at.astimezone(CHINA).strftime("%m%d%H%M%S")
    cells[_AMOUNT] = f"{line.amount.minor:012d}"
    cells[_QUERY_ID] = line.channel_no if payment else line.channel_refund_no
    cells[_ORDER] = line.order_no if payment else line.refund_no
    cells[_FEE] = _signed(-line.fee.minor)
    cells[_SETTLED] = _signed(net_minor)
    cells[_TYPE], cells[_SUBTYPE], cells[_PRODUCT] = kind, subtype, "000000"
    cells[_MERCHANT] = line.merchant
    cells[_NET] = _signed(net_minor)
    if not payment:
        cells[_ORIGINAL_QUERY_ID] = line.channel_no
        cells[_ORIGINAL_ORDER] = line.order_no
    encoded = [cell.encode("gbk", errors="replace") for cell in cells]
    for cell, width in zip(encoded, _WIDTHS, strict=True):
        if len(cell) > width:
            raise Invalid(f"does not fit into {width} bytes", field="bill")
    return b" ".join(cell.ljust(width) for cell, width in zip(encoded, _WIDTHS, strict=True))


def _line(row: str, day: date) -> BillLine:
    # Latin-1 keeps one letter a byte, so that widths count bytes whatever the GBK text in between.
    if len(row) != _ROW_BYTES:
        raise Invalid(f"is {len(row)} bytes long, not {_ROW_BYTES}")
    cells: list[str] = []
    position = 0
    for width in _WIDTHS:
        cells.append(row[position : position + width].strip())
        position += width + 1
    kind = _KINDS.get(cells[_TYPE])
    if kind is None:
        raise Invalid("is not a type that a bill has", field="txnType")
    payment = kind is LineKind.PAYMENT
    order = cells[_ORDER] if payment else cells[_ORIGINAL_ORDER]
    if not order or not cells[_QUERY_ID]:
        raise Invalid("has no order number or no queryId")
    return BillLine(
        kind=kind,
        order_no=order,
        channel_no=cells[_QUERY_ID] if payment else cells[_ORIGINAL_QUERY_ID],
        amount=Money(_digits(cells[_AMOUNT], "txnAmt"), CURRENCY),
        fee=Money(-_unsigned(cells[_FEE], "fee"), CURRENCY),
        at=_instant(cells[_AT], day),
        merchant=cells[_MERCHANT],
        refund_no="" if payment else cells[_ORDER],
        channel_refund_no="" if payment else cells[_QUERY_ID],
    )


def _signed(minor: int) -> str:
    """Write what the merchant gets (C) or gives (D)."""
    return f"{'D' if minor < 0 else 'C'}{abs(minor):012d}"


def _unsigned(text: str, field: str) -> int:
    if text[:1] not in {"C", "D"}:
        raise Invalid("begins with neither C nor D", field=field)
    minor = _digits(text[1:], field)
    return -minor if text[0] == "D" else minor


def _digits(text: str, field: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise Invalid("is not a whole number of fen", field=field)
    return int(text)


def _instant(text: str, day: date) -> datetime:
    year = day.year
    if text[:2] == str(_DECEMBER) and day.month == 1:
        year -= 1
    elif text[:2] == "01" and day.month == _DECEMBER:
        year += 1
    try:
        local = datetime.strptime(f"{year}{text}", "%Y%m%d%H%M%S").replace(tzinfo=CHINA)
    except ValueError:
        raise Invalid("is not a time", field="txnTime") from None
    return local.astimezone(UTC)
