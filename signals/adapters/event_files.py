"""Controller events and detectors' uses from CSV and Parquet files, by DuckDB.

DuckDB reads both in one wheel and gives numpy columns; pyarrow is not in it (libsumo prints a
warning to stdout where that is installed). Every row that cannot be used is counted with its
reason, and the first ones are shown.
"""

import tempfile
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import duckdb
import numpy as np

from city.errors import Invalid
from signals.rules.measures.events import DAY_US, MOST_CODE, Bools, Events, Ints, in_order
from signals.rules.measures.settings import Configuration

SHOWN: Final = 50
"""Unusable rows that are listed; all are counted."""
FAR_DAYS: Final = 370
"""Rows further from the middle of a file than this are a broken clock's."""
FUTURE_US: Final = 3600 * 1_000_000
_NO_TIME: Final = np.iinfo(np.int64).min
_PARQUET: Final = b"PAR1"
_ODD: Final = frozenset("*?[]{}'")

COLUMNS: Final = {
    "TimeStamp": {"timestamp", "time", "eventtime"},
    "DeviceId": {
        "deviceid", "device", "signal", "signalid", "location", "locationidentifier",
        "intersection", "trafficsignal", "name", "devicename",
    },
    "EventId": {"eventid", "eventcode"},
    "Parameter": {"parameter", "eventparameter", "eventparam", "param"},
}  # fmt: skip
USES: Final = {
    "DeviceId": COLUMNS["DeviceId"],
    "Phase": {"phase", "phasenumber"},
    "Parameter": {"parameter", "detector", "channel", "detectorchannel"},
    "Function": {"function"},
}


@dataclass(frozen=True)
class UnusableRow:
    """A row that says nothing that can be used."""

    line: int
    """In a CSV file the line, the header being 1; in a Parquet file the row, from 1."""
    reason: str
    content: str


@dataclass(frozen=True)
class EventFile:
    """What a file of events holds."""

    events: Events
    rows: int
    duplicates: int
    out_of_order: int
    """Rows whose time lies before that of the device's row above."""
    unusable: dict[str, int]
    shown: tuple[UnusableRow, ...]


@dataclass(frozen=True)
class _Columns:
    line: Ints
    at_us: Ints
    device: Ints
    devices: tuple[str, ...]
    code: Ints
    parameter: Ints


def read_events(name: str, now_us: int) -> EventFile:
    """Read a file of events.

    Parameters
    ----------
    name : str
        The file: Parquet, or CSV with a header, its columns named as ``COLUMNS`` says.
    now_us : int
        Rows more than an hour later are the future's.

    Raises
    ------
    Invalid
        Where the file is none, or lacks a column.
    """
    with _EventTable(name, COLUMNS) as table:
        columns = table.event_columns()
        broken = table.broken_lines()
        unusable, reasons = _judged(columns, now_us)
        shown = table.rows_at(columns.line[unusable][:SHOWN])
    listed = [
        UnusableRow(line, reasons[number], shown.get(line, ""))
        for number, line in enumerate(columns.line[unusable][:SHOWN].tolist())
    ]
    listed = sorted([*listed, *broken], key=lambda row: row.line)[:SHOWN]
    counts: dict[str, int] = {}
    for reason in (*reasons, *(row.reason for row in broken)):
        counts[reason] = counts.get(reason, 0) + 1
    good = ~unusable
    at_us, device = columns.at_us[good], columns.device[good]
    events, duplicates = in_order(
        at_us, device, columns.code[good], columns.parameter[good], columns.devices
    )
    return EventFile(
        events,
        len(columns.line) + len(broken),
        duplicates,
        _out_of_order(at_us, device),
        counts,
        tuple(listed),
    )


def read_uses(name: str) -> tuple[Configuration, tuple[UnusableRow, ...]]:
    """Read which detector serves which phase, and for what.

    Raises
    ------
    Invalid
        Where the file is none, or lacks a column.
    """
    with _EventTable(name, USES) as table:
        rows = table.text_rows(("DeviceId", "Phase", "Parameter", "Function"))
    good: dict[tuple[str, int, int, str], None] = {}
    bad: list[UnusableRow] = []
    for line, (device, phase, parameter, function) in enumerate(rows, start=table.first_line):
        numbers = [_whole(phase), _whole(parameter)]
        if device and function and numbers[0] is not None and numbers[1] is not None:
            good[_device(device), numbers[0], numbers[1], function.strip()] = None
        else:
            said = ",".join(each or "" for each in (device, phase, parameter, function))
            bad.append(
                UnusableRow(line, "the use needs a device, phase, channel and function", said)
            )
    if not good:
        raise Invalid("no row says which phase a detector serves")
    columns = list(zip(*good, strict=True))
    return Configuration(*(tuple(column) for column in columns)), tuple(bad)


def _whole(text: str | None) -> int | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return int(value) if value.is_integer() and 0 <= value <= MOST_CODE else None


def _device(text: str) -> str:
    """Write a device's name as the events do: 1136.0 and 1136 are one."""
    text = text.strip()
    return text[:-2] if text.endswith(".0") and text[:-2].isdecimal() else text


def _judged(columns: _Columns, now_us: int) -> tuple[Bools, list[str]]:
    """Say which rows are not usable, and why, in their order."""
    at_us = columns.at_us
    timeless = at_us == _NO_TIME
    middle = int(np.median(at_us[~timeless])) if not timeless.all() else 0
    future = at_us > now_us + FUTURE_US
    far = np.abs(at_us - middle) > FAR_DAYS * DAY_US
    checks = (
        (timeless, "the time is not readable"),
        (columns.device < 0, "the device is missing"),
        (columns.code < 0, "the event code is no whole number from 0 to 32767"),
        (columns.parameter < 0, "the parameter is no whole number from 0 to 32767"),
        (future, "the time lies in the future"),
        (far, "the time lies more than a year from the rest of the file"),
    )
    which = np.full(len(at_us), -1, dtype=np.int64)
    for number, (found, _) in reversed(list(enumerate(checks))):
        which[found] = number
    unusable = which >= 0
    return unusable, [checks[number][1] for number in which[unusable].tolist()]


def _out_of_order(at_us: Ints, device: Ints) -> int:
    order = np.argsort(device, kind="stable")
    same = np.diff(device[order]) == 0
    return int((same & (np.diff(at_us[order]) < 0)).sum())


class _EventTable:
    """A file as a table of DuckDB, its columns found by name."""

    def __init__(self, name: str, wanted: dict[str, set[str]]) -> None:
        self._connection = duckdb.connect(config={"threads": 1, "preserve_insertion_order": True})
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        try:
            with Path(name).open("rb") as file:
                head = file.read(65_536)
        except (OSError, ValueError) as error:
            raise Invalid(f"{getattr(error, 'strerror', None) or error}") from error
        if not head.strip():
            raise Invalid("the file is empty")
        path = self._plain(name)
        self._parquet = head[:4] == _PARQUET
        # One quote left open must not swallow the rest of a file: quotes are taken off afterwards.
        self._quoted = not self._parquet and b'"' in head
        self.first_line = 1 if self._parquet else 2
        if self._parquet:
            self._source = f"read_parquet('{path}')"
        else:
            if b"\0" in head:
                raise Invalid("is neither CSV nor Parquet")
            self._source = _csv_source(path, head)
        try:
            found = self._connection.execute(f"SELECT * FROM {self._source} LIMIT 0").description  # noqa: S608 - the source is made above
        except duckdb.Error as error:
            raise Invalid(f"is neither CSV nor Parquet: {_first_line(error)}") from error
        self._names = _matched([str(each[0]) for each in found or []], wanted)
        self._types = {str(each[0]): str(each[1]) for each in found or []}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        if self._folder is not None:
            self._folder.cleanup()

    def _plain(self, name: str) -> str:
        """Give a path without signs that DuckDB reads as patterns."""
        path = str(Path(name).resolve())
        if not _ODD & set(path):
            return path
        self._folder = tempfile.TemporaryDirectory()
        link = Path(self._folder.name) / "events"
        link.symlink_to(path)
        return str(link)

    def _column(self, name: str) -> str:
        column = '"' + self._names[name].replace('"', '""') + '"'
        return f"trim({column}, '\"')" if self._quoted else column

    def text_rows(self, names: Sequence[str]) -> list[tuple[str | None, ...]]:
        """Give columns as text, row by row."""
        chosen = ", ".join(f"{self._column(name)}::VARCHAR" for name in names)
        return self._fetched(f"SELECT {chosen} FROM {self._source}").fetchall()  # noqa: S608 - columns are quoted

    def _fetched(self, query: str) -> duckdb.DuckDBPyConnection:
        try:
            return self._connection.execute(query)
        except duckdb.Error as error:
            raise Invalid(f"cannot be read: {_first_line(error)}") from error

    def event_columns(self) -> _Columns:
        """Give the events' columns; what cannot be read is below 0 (a time: the lowest number)."""
        time = f"try_cast({self._column('TimeStamp')} AS TIMESTAMP)"
        # Infinite and very old or late times do not fit; they are no times.
        within = f"{time} BETWEEN TIMESTAMP '1900-01-01' AND TIMESTAMP '2200-01-01'"
        device = self._column("DeviceId")
        self._fetched(
            f"CREATE TABLE told AS SELECT"  # noqa: S608 - columns are quoted
            f" CASE WHEN {within} THEN epoch_us({time}) ELSE {_NO_TIME} END AS at_us,"
            f" {device} AS device,"
            f" coalesce({self._number('EventId')}, -1) AS code,"
            f" coalesce({self._number('Parameter')}, -1) AS parameter"
            f" FROM {self._source}"
        )
        number = "try_cast(device AS BIGINT)"
        plain = self._fetched(
            f"SELECT count(*) = 0 FROM told WHERE device IS NOT NULL AND ({number} IS NULL"  # noqa: S608 - no outside text
            f" OR {number} < 0 OR {number}::VARCHAR <> device::VARCHAR)"
        ).fetchone()
        if plain is not None and plain[0]:
            chosen = f"coalesce({number}, -1)"
        else:
            chosen = self._named_devices()
        read = self._fetched(f"SELECT at_us, {chosen} AS device, code, parameter FROM told")  # noqa: S608 - no outside text
        columns = {name: _ints(column) for name, column in read.fetchnumpy().items()}
        if plain is not None and plain[0]:
            known, device_column = np.unique(columns["device"], return_inverse=True)
            missing = int(len(known) > 0 and known[0] < 0)
            devices = tuple(str(each) for each in known[missing:].tolist())
            device_place = device_column.astype(np.int64) - missing
        else:
            names = self._fetched("SELECT name FROM known ORDER BY place").fetchall()
            devices, device_place = tuple(str(each[0]) for each in names), columns["device"]
        lines = self._lines(len(columns["at_us"]))
        return _Columns(
            lines, columns["at_us"], device_place, devices, columns["code"], columns["parameter"]
        )

    def _named_devices(self) -> str:
        """Count the devices out by name; give the expression of a row's number, -1 for none."""
        name = r"regexp_replace(trim(device::VARCHAR), '^([0-9]+)\.0$', '\1')"
        self._fetched(
            "CREATE TABLE known AS SELECT name, row_number() OVER (ORDER BY name) - 1 AS place"  # noqa: S608 - no outside text
            f" FROM (SELECT DISTINCT {name} AS name FROM told) WHERE name <> ''"
        )
        if self._fetched("SELECT count(*) = 0 FROM known").fetchall()[0][0]:
            return "-1"
        self._fetched("CREATE TYPE known_name AS ENUM (SELECT name FROM known ORDER BY place)")
        return f"coalesce(enum_code(try_cast({name} AS known_name))::BIGINT, -1)"

    def _lines(self, count: int) -> Ints:
        """Give the line of each row: broken ones stand between."""
        row = np.arange(count)
        broken = np.array([each.line for each in self.broken_lines()], dtype=np.int64)
        before = broken - self.first_line - np.arange(len(broken))
        result: Ints = row + self.first_line + np.searchsorted(before, row, "right")
        return result

    def _number(self, name: str) -> str:
        column = self._column(name)
        if self._types.get(self._names[name], "").upper() in {"BIGINT", "INTEGER", "SMALLINT"}:
            value = column
        else:
            # 82.0 is a whole number, 82.4 is none.
            real = f"try_cast({column} AS DOUBLE)"
            value = f"CASE WHEN {real} = floor({real}) THEN try_cast({column} AS BIGINT) END"
        return f"CASE WHEN {value} BETWEEN 0 AND {MOST_CODE} THEN ({value})::BIGINT END"

    def broken_lines(self) -> list[UnusableRow]:
        """Give the lines of a CSV file that are no row at all."""
        if self._parquet:
            return []
        found = self._fetched(
            "SELECT DISTINCT ON (line) line, csv_line FROM reject_errors ORDER BY line"
        ).fetchall()
        return [
            UnusableRow(int(line), "the line is no row of these columns", str(text or "")[:200])
            for line, text in found
        ]

    def rows_at(self, lines: Ints) -> dict[int, str]:
        """Give the text of some rows, by line."""
        if not len(lines):
            return {}
        broken = [each.line for each in self.broken_lines()]
        row_of = {
            int(each) - self.first_line - bisect_left(broken, int(each)): int(each)
            for each in lines
        }
        wanted = ", ".join(map(str, row_of))
        every = ", ".join(f"coalesce({self._column(name)}::VARCHAR, '')" for name in self._names)
        rows = self._fetched(
            f"SELECT row, text FROM (SELECT row_number() OVER () - 1 AS row,"  # noqa: S608 - columns are quoted
            f" concat_ws(',', {every}) AS text FROM {self._source}) WHERE row IN ({wanted})"
        ).fetchall()
        return {row_of[int(row)]: str(text)[:200] for row, text in rows}


def _ints(column: np.ndarray) -> Ints:
    return np.asarray(column).astype(np.int64)


def _csv_source(path: str, head: bytes) -> str:
    header = head.decode("utf-8-sig", "replace").splitlines()[0]
    delimiter = max(",;\t|", key=header.count)
    return (
        f"read_csv('{path}', header = true, all_varchar = true, auto_detect = false,"
        f" delim = '{delimiter}', quote = '', escape = '', null_padding = true,"
        f" ignore_errors = true, store_rejects = true, columns = {_columns(header, delimiter)})"
    )


def _columns(header: str, delimiter: str) -> str:
    names = [each.strip().strip('"') for each in header.split(delimiter)]
    if len(set(names)) < len(names):
        raise Invalid("two columns have one name")
    written = (each.replace("'", "''") for each in names)
    return "{" + ", ".join(f"'{name or 'unnamed'}': 'VARCHAR'" for name in written) + "}"


def _matched(found: list[str], wanted: dict[str, set[str]]) -> dict[str, str]:
    """Find each column by its name or a usual other one, without case, blanks and underscores."""
    plain = {"".join(each.split()).replace("_", "").lower(): each for each in reversed(found)}
    result: dict[str, str] = {}
    for name, others in wanted.items():
        known = [name.lower(), *sorted(others)]
        match = next((plain[each] for each in known if each in plain), None)
        if match is None:
            raise Invalid(f"has no column {name}")
        result[name] = match
    return result


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["unreadable"])[0][:160]
