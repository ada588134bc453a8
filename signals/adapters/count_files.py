"""Tables of counts as files: CSV and workbooks (.xlsx), read and given as templates."""

import csv
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, Literal
from xml.etree.ElementTree import ParseError

from city.errors import Invalid
from signals.rules.counts.classes import CountClass
from signals.rules.counts.places import Legs
from signals.rules.counts.tables import COLUMNS, Cell, CountTable, read_table

MOST_BYTES: Final = 64 * 1024 * 1024
_MOST_UNPACKED: Final = 512 * 1024 * 1024
_MOST_PARTS: Final = 1_000
_ZIP: Final = b"PK\x03\x04"
_SHEET: Final = "counts"
_CODES: Final = ("utf-8-sig", "gb18030")
_MOST_COLUMNS: Final = 200

Language = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh")

_CHINESE: Final[Mapping[str, str]] = {
    "junction": "路口", "date": "日期", "start": "开始时间", "approach": "进口道",
    "movement": "流向", "car": "小客车", "bus": "大型客车", "truck": "大型货车",
    "articulated": "铰接车", "motorcycle": "摩托车", "ebike": "电动自行车",
    "bicycle": "自行车", "walker": "行人",
}  # fmt: skip
_NOTES: Final[Mapping[Language, tuple[str, ...]]] = {
    "en": (
        "One row: a junction, a day, a quarter of an hour, an approach, a movement, a number each.",
        "date: 2026-03-02. start: 07:15, a whole quarter of an hour.",
        "approach, movement: as on the sheet 'movements', or N, E, S, W and left, straight, right.",
        "People on foot have rows of their own: the arm that they cross, and crossing.",
        "0 where nobody passed. Delete the column of a class that was not counted.",
        "Rows that cannot be used are returned with their number, junction, column and reason.",
    ),
    "zh": (
        "每行：一个路口、一天、一个15分钟时段、一个进口道、一个流向及各类车辆数。",
        "日期：2026-03-02。开始时间：07:15，须为整15分钟。",
        "进口道和流向：见“movements”表；也可写 东、南、西、北 和 左、直、右、掉头。",
        "行人过街另起一行：所穿越的进口道，流向写“过街”。",
        "无人通过写 0。未调查的车种请删除该列。",
        "无法使用的行将连同行号、路口、列名和原因一并退回。",
    ),
}


def read_counts(content: bytes, places: Mapping[str, Legs]) -> CountTable:
    """Read a CSV file or a workbook of counts.

    A CSV file is UTF-8 or GB 18030, with commas, semicolons or tabs.

    Raises
    ------
    Invalid
        Where it is neither, or its heading lacks a column.
    """
    if content[:4] == _ZIP:
        return _of_workbook(content, places)
    rows = _of_text(content)
    heading = next(rows, None)
    if heading is None:
        raise Invalid("is empty", field="content")
    return read_table(heading, rows, places)


def template_csv(language: Language = "en") -> bytes:
    """Give an empty table as CSV; a mark at its start tells spreadsheets that it is UTF-8."""
    return ("\ufeff" + ",".join(_heading(language)) + "\r\n").encode()


def template_workbook(places: Mapping[str, Legs], language: Language = "en") -> bytes:
    """Give an empty table as a workbook, with notes and the movements that there are."""
    from openpyxl import Workbook  # noqa: PLC0415 - slow to load
    from openpyxl.styles import Font  # noqa: PLC0415 - as above
    from openpyxl.utils import get_column_letter  # noqa: PLC0415 - as above
    from openpyxl.worksheet.datavalidation import DataValidation  # noqa: PLC0415 - as above

    book = Workbook()
    sheet = book.active
    sheet.title = _SHEET
    heading = _heading(language)
    sheet.append(heading)
    sheet.freeze_panes = "A2"
    for place in range(1, len(heading) + 1):
        sheet.cell(1, place).font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(place)].width = 14
    first, last = get_column_letter(len(COLUMNS) + 1), get_column_letter(len(heading))
    whole = DataValidation(type="whole", operator="greaterThanOrEqual", formula1="0")
    whole.add(f"{first}2:{last}200000")
    sheet.add_data_validation(whole)
    movements = book.create_sheet("movements")
    movements.append([*heading[:1], *heading[3:5], "turn"])
    for name in sorted(places):
        for (start, end), turns in sorted(places[name].turns.items()):
            movements.append([name, start, end, ", ".join(sorted(each.value for each in turns))])
    notes = book.create_sheet("notes")
    for text in _NOTES[language]:
        notes.append([text])
    notes.column_dimensions["A"].width = 120
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _heading(language: Language) -> list[str]:
    names = [*COLUMNS, *(each.value for each in CountClass)]
    return [_CHINESE[name] for name in names] if language == "zh" else names


def _of_text(content: bytes) -> Iterator[Sequence[Cell]]:
    text = None
    for code in _CODES:
        try:
            text = content.decode(code)
        except UnicodeDecodeError:
            continue
        break
    if text is None or "\0" in text:
        raise Invalid("is neither a workbook nor text in UTF-8 or GB 18030", field="content")
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    except csv.Error as error:
        raise Invalid(f"is no CSV ({error})", field="content") from None


def _of_workbook(content: bytes, places: Mapping[str, Legs]) -> CountTable:
    from openpyxl import load_workbook  # noqa: PLC0415 - as above
    from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415 - as above

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            infos = parts.infolist()
        # What a small file unpacks to is known before it is.
        if len(infos) > _MOST_PARTS or sum(one.file_size for one in infos) > _MOST_UNPACKED:
            raise Invalid("unpacks to too much", field="content")
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        try:
            sheet = book[_SHEET] if _SHEET in book.sheetnames else book.worksheets[0]
            rows = sheet.iter_rows(max_col=_MOST_COLUMNS, values_only=True)
            heading = next(iter(islice(rows, 1)), None)
            if heading is None:
                raise Invalid("is empty", field="content")
            return read_table(heading, rows, places)
        finally:
            book.close()
    except (
        zipfile.BadZipFile,
        InvalidFileException,
        ParseError,
        KeyError,
        IndexError,
        ValueError,
        TypeError,
        NotImplementedError,
        OSError,
    ):
        raise Invalid("is no workbook that can be read", field="content") from None
