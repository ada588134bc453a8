"""Tables of counts: the good rows are taken, the bad returned, what is missing is told."""

from __future__ import annotations

import datetime as dt
import io

import pytest
from openpyxl import load_workbook

from city.errors import Invalid
from signals.adapters.count_files import read_counts, template_csv, template_workbook
from signals.rules.counts.classes import CountClass
from signals.rules.counts.gaps import gaps_of
from signals.rules.counts.places import legs_of
from tests.signals import counted, crossroads

PLACES = legs_of(crossroads.network())
HEADING = "junction,date,start,approach,movement,car,truck,walker"


def table_of(*rows: str, heading: str = HEADING) -> bytes:
    return "\n".join([heading, *rows]).encode()


def test_compass_and_turns_mean_the_same_as_the_roads_names() -> None:
    found = read_counts(
        table_of(
            "crossroads,2026-03-02,07:15,N,left,12,1,",
            "crossroads,2026/3/2,7:30-7:45,north-in,east-out,14,0,",
            "crossroads,2026-03-02,07:15,北进口道,过街,,,7",
        ),
        PLACES,
    )
    assert found.refused == ()
    by_road = {(leg.from_road, leg.to_road): leg for leg in found.legs}
    assert set(by_road) == {("north-in", "east-out"), ("north-in", "")}
    cars = by_road["north-in", "east-out"].numbers[CountClass.CAR]
    assert (cars[28], cars[29], cars[30], cars[31]) == (None, 12, 14, None)
    assert by_road["north-in", ""].numbers[CountClass.WALKER][29] == 7


@pytest.mark.parametrize(
    ("row", "field", "why"),
    [
        ("elm,2026-03-02,07:15,N,left,1,0,", "junction", "the network has no signal elm"),
        ("crossroads,2026-02-30,07:15,N,left,1,0,", "date", "is a date that does not exist"),
        ("crossroads,2026-03-02,07:20,N,left,1,0,", "start", "whole quarter"),
        ("crossroads,2026-03-02,07:15-08:15,N,left,1,0,", "start", "must span 15 minutes"),
        ("crossroads,2026-03-02,07:15,NE,left,1,0,", "approach", "no approach from NE"),
        ("crossroads,2026-03-02,07:15,N,u_turn,1,0,", "movement", "no movement u_turn"),
        ("crossroads,2026-03-02,07:15,N,left,,0,", "car", "is empty: write 0"),
        ("crossroads,2026-03-02,07:15,N,left,-4,0,", "car", "must not be negative"),
        ("crossroads,2026-03-02,07:15,N,left,3.5,0,", "car", "must be a whole number"),
        ("crossroads,2026-03-02,07:15,N,left,nan,0,", "car", "must not be negative"),
        ("crossroads,2026-03-02,07:15,N,left,900,0,", "car", "more than 1 lanes pass (600)"),
        ("crossroads,2026-03-02,07:15,N,left,1,0,5", "walker", "does not belong"),
        ("crossroads,2026-03-02,07:15,N,crossing,,,9999", "walker", "more than 5000"),
    ],
)
def test_a_row_that_cannot_be_used_is_returned_with_junction_field_and_reason(
    row: str, field: str, why: str
) -> None:
    good = "crossroads,2026-03-02,08:00,N,left,5,0,"
    found = read_counts(table_of(good, row), PLACES)
    (refused,) = found.refused
    assert (refused.row, refused.junction, refused.field) == (3, row.partition(",")[0], field)
    assert why in refused.why
    assert len(found.legs) == 1


def test_a_quarter_given_twice_counts_once() -> None:
    row = "crossroads,2026-03-02,08:00,N,left,5,0,"
    found = read_counts(table_of(row, row.replace(",5,", ",6,")), PLACES)
    assert [(one.row, one.field) for one in found.refused] == [(3, "start")]
    assert found.legs[0].numbers[CountClass.CAR][32] == 5


def test_what_is_missing_between_counted_hours_is_a_gap() -> None:
    rows = [
        f"crossroads,2026-03-0{day},0{hour}:00,N,left,5,0," for day in (2, 3) for hour in (7, 8)
    ]
    found = read_counts(table_of(*rows[:3], "crossroads,2026-03-03,07:00,N,right,1,0,"), PLACES)
    told = [(gap.to_road, gap.day.day, gap.first, gap.until) for gap in gaps_of(found.legs)]
    assert told == [
        ("east-out", 3, 32, 33),
        ("west-out", 2, 28, 29),
        ("west-out", 2, 32, 33),
        ("west-out", 3, 32, 33),
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"junction,date\n", "start: is missing"),
        (b"junction,date,start,approach,movement\n", "no class is counted"),
        (b"PK\x03\x04 no workbook", "is no workbook"),
        (b"\xff\xfe\x00\x00", "neither a workbook nor text"),
    ],
)
def test_a_file_that_is_no_table_says_so(content: bytes, said: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_counts(content, PLACES)
    assert said in str(refused.value)


def test_a_filled_template_is_read_as_the_same_rows_in_text() -> None:
    rows = list(counted.rows([dt.date(2026, 3, 2)], [7]))
    book = load_workbook(io.BytesIO(template_workbook(PLACES, "zh")))
    sheet = book["counts"]
    names = ["路口", "日期", "开始时间", "进口道", "流向", "小客车", "大型货车", "自行车"]
    heading = [cell.value for cell in sheet[1]]
    sheet.delete_cols(1, sheet.max_column)
    assert set(names) <= set(heading)
    lines: list[list[object]] = [list(names), *rows]
    for place, row in enumerate(lines, 1):
        for column, value in enumerate(row, 1):
            sheet.cell(place, column, value)
    sheet["C2"] = dt.time(7, 0)
    filled = io.BytesIO()
    book.save(filled)
    from_book = read_counts(filled.getvalue(), PLACES)
    in_chinese = read_counts(counted.csv_of(rows, names).decode().encode("gb18030"), PLACES)
    assert from_book == in_chinese == read_counts(counted.csv_of(rows), PLACES)
    assert (from_book.rows, from_book.refused) == (48, ())
    assert template_csv("zh").decode("utf-8-sig").split(",")[:5] == names[:5]
