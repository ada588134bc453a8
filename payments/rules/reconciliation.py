"""A channel's bill against our own record of the day: what agrees, and each thing that does not.

Pure. Nothing is put right here: every difference names what is proposed, and a person decides.
What is missing from a bill that is not complete is told as not certain, never as a fact.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from payments.rules.channel_bills.lines import CHINA, Bill, BillLine, LineKind, totals
from payments.rules.differences import (
    Difference,
    DifferenceKind,
    Proposal,
    Record,
    Standing,
    done,
)

NEAR_MIDNIGHT: Final = timedelta(minutes=10)
"""So close to its day's end a payment may stand in the bill of the next one."""
_CHINA_S: Final = 8 * 3600
_DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What came of holding a day against a bill.

    Parameters
    ----------
    day : date
        China's day.
    matched : int
        Pairs that were found, also those that differ in something.
    agreed : int
        Pairs that differ in nothing.
    differences : tuple of Difference
        In the order of the bill, then of our record.
    """

    day: date
    matched: int
    agreed: int
    differences: tuple[Difference, ...]


_Key = tuple[str, ...]


def reconcile(ours: Iterable[Record], bill: Bill, day: date) -> Reconciliation:
    """Hold our record against a bill.

    Parameters
    ----------
    ours : Iterable of Record
        Of the day, and of the days beside it: what the channel counts to another day is found
        there. Nothing is expected in the bill of what lies outside the day.
    bill : Bill
        The channel's.
    day : date
        The bill's day, China's.

    Returns
    -------
    Reconciliation
        Each pair in every class in which it differs, with two exceptions: where the currency
        differs amounts are not compared, and where either differs fees are not.

    Notes
    -----
    Cost grows with the sum of both sides, memory too.
    """
    known, ours_twice = _by_key(ours)
    first, found = _chosen(bill, known)
    pairs = [(known[key], line) for key, line in first.items() if key in known]
    lonely = {key: line for key, line in first.items() if key not in known}
    missing = {key: record for key, record in known.items() if key not in first}
    vague = list(_by_order(missing, lonely))
    agreed = 0
    for key, their_key in vague:
        pairs.append((missing.pop(key), lonely.pop(their_key)))
    for mine, line in pairs:
        differs = list(_of_pair(mine, line))
        agreed += not differs
        found += differs
    found += [_theirs_only(line) for line in lonely.values()]
    complete = bill.complete  # adds the whole bill up
    found += [
        _ours_only(record, day, certain=complete)
        for record in missing.values()
        if record.standing is Standing.DONE and _local_day(record.at) == day.toordinal()
    ]
    if bill.stated is not None and bill.stated != totals(bill.lines):
        again = Proposal.FETCH_AGAIN if bill.rejected else Proposal.CLAIM_ROW
        found.append(Difference(DifferenceKind.TOTALS, "", "", None, None, again))
    return Reconciliation(day, len(pairs), agreed, (*found, *ours_twice))


def _by_key(ours: Iterable[Record]) -> tuple[dict[_Key, Record], list[Difference]]:
    """Give our record by number, and what stands in it twice."""
    known: dict[_Key, Record] = {}
    twice: list[Difference] = []
    for record in ours:
        other = known.get(_key(record))
        if other is None:
            known[_key(record)] = record
            continue
        if other.standing is record.standing is Standing.DONE:
            twice.append(_about(DifferenceKind.DUPLICATE, record, None, Proposal.DROP_OURS))
        elif record.standing is Standing.DONE or other.standing is Standing.FAILED:
            known[_key(record)] = record  # a later try under the same number
    return known, twice


def _chosen(
    bill: Bill, known: Mapping[_Key, Record]
) -> tuple[dict[_Key, BillLine], list[Difference]]:
    """Give the bill's rows by number, one a number, and those of a number more than one has."""
    first: dict[_Key, BillLine] = {}
    again: dict[_Key, list[BillLine]] = {}
    for line in bill.lines:
        key = _key(line)
        if key in first:
            again.setdefault(key, []).append(line)
        else:
            first[key] = line
    twice: list[Difference] = []
    for key, lines in again.items():
        mine = known.get(key)
        first[key], others = _ours_among(mine, [first[key], *lines])
        # Of several more rows some may be written twice themselves: that money moved once.
        told = {_numbers(first[key])}
        for other in others:
            again_written = _numbers(other) in told
            told.add(_numbers(other))
            twice.append(_twice(mine, other, again_written=again_written))
    return first, twice


def _key(side: Record | BillLine) -> _Key:
    if side.kind is LineKind.PAYMENT:
        return (side.order_no,)
    if side.kind is LineKind.VOID:
        # A void takes back the whole order: it is known by that, whatever number it was given.
        return (side.order_no, "", "void")
    return (side.order_no, side.refund_no)


def _ours_among(
    ours: Record | None, lines: Sequence[BillLine]
) -> tuple[BillLine, Sequence[BillLine]]:
    """Choose the row that we know of among several of one number: by the channel's, else the first.

    Of those one that is done: a refund that failed and was tried again has two rows. Give it and
    the others.
    """
    known = "" if ours is None else ours.channel_no
    # By its place: two rows of a bill may be alike in everything, and are two all the same.
    place = max(range(len(lines)), key=lambda n: (lines[n].channel_no == known, done(lines[n]), -n))
    return lines[place], [*lines[:place], *lines[place + 1 :]]


def _numbers(line: BillLine) -> tuple[str, str]:
    return line.channel_no, line.channel_refund_no


def _twice(ours: Record | None, other: BillLine, *, again_written: bool) -> Difference:
    proposal = Proposal.CLAIM_ROW if again_written else Proposal.REFUND_SECOND
    return _about(DifferenceKind.DUPLICATE, ours, other, proposal)


def _of_pair(ours: Record, theirs: BillLine) -> Iterator[Difference]:
    if done(ours) != done(theirs):
        missing = done(theirs)
        proposal = Proposal.SETTLE if missing else Proposal.REOPEN
        yield _about(DifferenceKind.STATUS, ours, theirs, proposal)
    if ours.amount.currency != theirs.amount.currency:
        yield _about(DifferenceKind.CURRENCY, ours, theirs, Proposal.CLAIM_ROW)
    elif ours.amount.minor != theirs.amount.minor:
        yield _about(DifferenceKind.AMOUNT, ours, theirs, Proposal.ADJUST_AMOUNT)
    elif ours.fee is not None and ours.fee != theirs.fee:
        yield _about(DifferenceKind.FEE, ours, theirs, Proposal.ADJUST_FEE)
    if ours.merchant and ours.merchant != theirs.merchant:
        yield _about(DifferenceKind.MERCHANT, ours, theirs, Proposal.CHECK_ACCOUNT)
    if ours.channel_no and theirs.channel_no and ours.channel_no != theirs.channel_no:
        yield _about(DifferenceKind.NUMBER, ours, theirs, Proposal.ADJUST_AMOUNT)
    # An open record has no day yet on which it was done.
    if ours.standing is Standing.DONE and _local_day(ours.at) != _local_day(theirs.at):
        yield _about(DifferenceKind.DAY_BOUNDARY, ours, theirs, Proposal.MOVE_DAY)


def _by_order(
    missing: Mapping[_Key, Record], lonely: Mapping[_Key, BillLine]
) -> Iterator[tuple[_Key, _Key]]:
    """Pair what goes back of one order where a number cannot; give the keys of both sides.

    Alipay's bill writes a void as a refund under a number of its own, and bills may leave the
    numbers of refunds out.
    """
    rows: dict[str, list[_Key]] = defaultdict(list)
    for their_key, line in lonely.items():
        if line.kind is not LineKind.PAYMENT:
            rows[line.order_no].append(their_key)
    for key, record in missing.items():
        if record.kind is LineKind.PAYMENT:
            continue
        for their_key in rows[record.order_no]:
            line = lonely[their_key]
            vague = LineKind.VOID in {record.kind, line.kind} or not line.refund_no
            if vague and record.amount == line.amount:
                rows[record.order_no].remove(their_key)
                yield key, their_key
                break


def _theirs_only(line: BillLine) -> Difference:
    if line.kind is LineKind.PAYMENT:
        return _about(DifferenceKind.THEIRS_ONLY, None, line, Proposal.BOOK_OR_REFUND)
    return _about(DifferenceKind.REFUND_THEIRS_ONLY, None, line, Proposal.BOOK_REFUND)


def _ours_only(record: Record, day: date, *, certain: bool) -> Difference:
    payment = record.kind is LineKind.PAYMENT
    end_at = datetime(day.year, day.month, day.day, tzinfo=CHINA) + timedelta(days=1)
    if not certain:
        proposal = Proposal.FETCH_AGAIN
    elif end_at - record.at <= NEAR_MIDNIGHT:
        proposal = Proposal.AWAIT_NEXT_BILL
    else:
        proposal = Proposal.QUERY_THEN_REVERSE if payment else Proposal.ASK_REFUND_AGAIN
    kind = DifferenceKind.OURS_ONLY if payment else DifferenceKind.REFUND_OURS_ONLY
    return Difference(
        kind, record.order_no, record.refund_no, record, None, proposal, certain=certain
    )


def _about(
    kind: DifferenceKind, ours: Record | None, theirs: BillLine | None, proposal: Proposal
) -> Difference:
    order_no = ours.order_no if ours is not None else theirs.order_no if theirs else ""
    refund_no = (ours.refund_no if ours is not None else "") or (theirs.refund_no if theirs else "")
    return Difference(kind, order_no, refund_no, ours, theirs, proposal)


def _local_day(at: datetime) -> int:
    """Give China's day of an instant as a proleptic ordinal; a third of the cost of a date."""
    return int(at.timestamp() + _CHINA_S) // _DAY_S + _EPOCH_DAY


_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
