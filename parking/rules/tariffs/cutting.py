"""A stay as pieces of charged time: cut at the edges of bands, and what is taken out of them."""

from collections.abc import Sequence

from parking.rules.tariffs.local_time import DAY_S, offset_spans
from parking.rules.tariffs.plan import Plan

Piece = tuple[int, int, int, int, int]
"""From, to, the band's place, the local day and the visit of a stretch of charged time.

A visit is an unbroken time in one band, numbered before anything is taken out: what is not
charged never joins two visits into one that costs more.
"""
Span = tuple[int, int]


def pieces_of(plan: Plan, start: int, end: int, zone: str) -> list[Piece]:
    """Cut a stay at the edges of bands, and of days and 24 hours where a count ends with them."""
    pieces: list[Piece] = []
    rows = plan.table.rows
    visit, last_band = 0, -1
    for low, high, offset in offset_spans(start, end, zone):
        at, last = low + offset, high + offset
        while at < last:
            day, clock = divmod(at, DAY_S)
            shift = day * DAY_S - offset  # from the day's own seconds to those since 1970
            until = last - day * DAY_S
            for _, row_end, band in rows(day):
                if row_end <= clock:
                    continue
                stop = min(until, row_end)
                if band != last_band:
                    visit, last_band = visit + 1, band
                pieces.append((clock + shift, stop + shift, band, day, visit))
                clock = stop
                if clock >= until:
                    break
            at = clock + day * DAY_S
    if not plan.marks_days and len(pieces) > 1:
        pieces = _merged(pieces)
    return _cut_every_24h(pieces, start) if plan.marks_24h else pieces


def run_on(plan: Plan, pieces: Sequence[Piece]) -> list[Piece]:
    """Let the unit under way at a band's edge run to its end, at the cost of the next band."""
    running: list[Piece] = []
    clocks: dict[tuple[int, int], int] = {}
    held = chain_end = pieces[0][0] if pieces else 0
    for place, (begin, until, band, day, visit) in enumerate(pieces):
        if begin >= chain_end:  # a new unbroken stretch: how far does it reach?
            chain_end = until
            for start, end, *_ in pieces[place + 1 :]:
                if start != chain_end:
                    break
                chain_end = end
        start = max(begin, held)
        if start >= until:
            continue
        key = (band, visit if plan.schedule.bands[band].counts == "visit" else 0)
        clock_s = clocks.get(key, 0) + until - start
        end = min(until + plan.rates[band].unit_left_s(clock_s), chain_end)
        clocks[key] = clock_s + end - until
        running.append((start, end, band, day, visit))
        held = end
    return running


def without(pieces: Sequence[Piece], span: Span) -> list[Piece]:
    """Take a stretch of time out of pieces."""
    low, high = span
    return [
        rest
        for start, end, band, day, visit in pieces
        for rest in (
            (start, min(end, low), band, day, visit),
            (max(start, high), end, band, day, visit),
        )
        if rest[0] < rest[1]
    ]


def split(pieces: Sequence[Piece], seconds: int) -> tuple[list[Piece], list[Piece]]:
    """Part pieces after so much of their time."""
    taken: list[Piece] = []
    for place, (start, end, band, day, visit) in enumerate(pieces):
        if end - start > seconds:
            if seconds:
                taken.append((start, start + seconds, band, day, visit))
            return taken, [(start + seconds, end, band, day, visit), *pieces[place + 1 :]]
        taken.append((start, end, band, day, visit))
        seconds -= end - start
    return taken, []


def counted_s(pieces: Sequence[Piece]) -> int:
    """Give how much time some pieces hold."""
    return sum(piece[1] - piece[0] for piece in pieces)


def _merged(pieces: Sequence[Piece]) -> list[Piece]:
    merged = [pieces[0]]
    for piece in pieces[1:]:
        last = merged[-1]
        if last[2] == piece[2] and last[1] == piece[0]:
            merged[-1] = (last[0], piece[1], *last[2:])
        else:
            merged.append(piece)
    return merged


def _cut_every_24h(pieces: Sequence[Piece], start: int) -> list[Piece]:
    cut: list[Piece] = []
    for low, high, band, day, visit in pieces:
        at = low
        while at < high:
            mark = start + ((at - start) // DAY_S + 1) * DAY_S
            cut.append((at, min(mark, high), band, day, visit))
            at = mark
    return cut
