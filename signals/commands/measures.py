"""``measures``: signal performance from high-resolution controller events."""

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import orjson

from city.command_line import CommandLine
from city.errors import Invalid
from city.time import WallClock
from signals.adapters.event_files import EventFile, UnusableRow, read_events, read_uses
from signals.rules.measures.drawings import drawings
from signals.rules.measures.events import Table
from signals.rules.measures.report import NEEDS, measure
from signals.rules.measures.settings import CONTROLLERS, Configuration, Settings, WatchLimits
from signals.rules.measures.watchdog import findings

SUMMARY: Final = "work out signal performance measures from controller events"

_EXAMPLE: Final = """python -m signals measures events.parquet --config loops.csv --plot pictures

events (CSV or Parquet): TimeStamp,DeviceId,EventId,Parameter
detectors (CSV or Parquet): DeviceId,Phase,Parameter,Function
  Function: Advance, Presence, Yellow_Red, stop bar count"""
_DAY_MIN: Final = 1440
_ALL: Final = "all"
_FAR_EAST_H: Final = 14
"""A controller's clock may be so many hours before UTC's: its wall time is not the future."""


def run(arguments: Sequence[str]) -> int:
    """Print the measures; return 0, 1 where rows could not be used, 2 where the file cannot."""
    line = CommandLine("signals", "measures", SUMMARY, _EXAMPLE)
    line.add_argument("events", metavar="EVENTS", help="controller events, CSV or Parquet")
    line.add_argument("--config", metavar="FILE", help="which detector serves which phase")
    line.add_argument("--plot", metavar="DIR", help="draw into this folder, as SVG")
    line.add_argument("--bin", type=int, default=15, metavar="MIN", help="width of bins (15)")
    line.add_argument(
        "--controller", default="", choices=CONTROLLERS, help="whose vendor codes count ('')"
    )
    line.add_argument("--only-complete", action="store_true", help="leave out bins that lost data")
    line.add_argument(
        "--by-lane", action="store_true", help="split failures of each detector by itself"
    )
    line.add_argument(
        "--latency", type=float, default=0.0, metavar="S", help="of advance detectors"
    )
    line.add_argument(
        "--measures", default=_ALL, metavar="NAMES", help="print only these, by commas (all)"
    )
    given = line.parse_args(arguments)
    if not 1 <= given.bin <= _DAY_MIN or _DAY_MIN % given.bin:
        line.error("--bin must divide a day: 1 to 1440 minutes")
    if not -60 <= given.latency <= 60:  # noqa: PLR2004 - a minute
        line.error("--latency must be from -60 to 60 seconds")
    if given.bin % 5 and given.only_complete:
        line.error("--only-complete needs bins of whole five minutes")
    settings = replace(
        Settings(),
        bin_min=given.bin,
        # A bin that five minutes do not divide is judged as one.
        no_data_min=5 if given.bin % 5 == 0 else given.bin,
        controller=given.controller,
        only_complete=given.only_complete,
        by_lane=given.by_lane,
        latency_s=given.latency,
    )
    begun_s = time.perf_counter()
    file, configuration, bad_uses = _read(line, given.events, given.config)
    tables, found = measure(file.events, configuration, settings)
    said = findings(file.events, tables, configuration, settings, WatchLimits())
    worked_s = time.perf_counter() - begun_s
    chosen = _chosen(line, given.measures, tables)
    pictures = []
    if given.plot is not None:
        pictures = _drawn(
            line, given.plot, drawings(file.events, configuration, found, tables, settings)
        )
    _say(line, file, bad_uses, configuration)
    result = {
        "events": len(file.events),
        "rows": file.rows,
        "duplicates": file.duplicates,
        "out_of_order": file.out_of_order,
        "unusable": file.unusable,
        "unusable_rows": [_row(each) for each in file.shown],
        "unusable_config_rows": [_row(each) for each in bad_uses],
        "devices": list(file.events.devices),
        "bin_min": given.bin,
        "not_told": _not_told(configuration),
        "findings": said,
        "measures": {name: tables[name] for name in chosen},
        "pictures": pictures,
        "seconds": round(worked_s, 3),
    }
    sys.stdout.flush()
    sys.stdout.buffer.write(orjson.dumps(result, option=orjson.OPT_SERIALIZE_NUMPY) + b"\n")
    return 1 if file.unusable or bad_uses else 0


def _read(
    line: CommandLine, events: str, config: str | None
) -> tuple[EventFile, Configuration, tuple[UnusableRow, ...]]:
    now = WallClock().now() + timedelta(hours=_FAR_EAST_H)
    try:
        file = read_events(events, round(now.timestamp() * 1_000_000))
    except Invalid as error:
        line.error(f"{events}: {error}")
    if not len(file.events):
        reason = next(iter(file.unusable), "it has no rows")
        line.error(f"{events}: has no event that can be used: {reason}")
    if config is None:
        return file, Configuration(), ()
    try:
        configuration, bad = read_uses(config)
    except Invalid as error:
        line.error(f"{config}: {error}")
    return file, configuration, bad


def _chosen(line: CommandLine, wanted: str, tables: dict[str, Table]) -> list[str]:
    if wanted == _ALL:
        return list(tables)
    chosen = [each.strip() for each in wanted.split(",") if each.strip()]
    unknown = [each for each in chosen if each not in tables]
    if unknown:
        line.error(f"no measure {unknown[0]!r}; known: {', '.join(tables)}")
    return chosen


def _not_told(configuration: Configuration) -> dict[str, str]:
    """Say which measures stay empty, and for want of what."""
    return {
        name: f"no detector is configured as {function}"
        for name, function in NEEDS.items()
        if not configuration.of(function)
    }


def _row(row: UnusableRow) -> dict[str, str | int]:
    return {"line": row.line, "reason": row.reason, "content": row.content}


def _drawn(line: CommandLine, folder: str, pictures: dict[str, str]) -> list[str]:
    place = Path(folder)
    try:
        place.mkdir(parents=True, exist_ok=True)
        for name, picture in pictures.items():
            (place / name).write_text(picture, encoding="utf-8")
    except OSError as error:
        line.error(f"{folder}: {error.strerror or error}")
    return sorted(pictures)


def _say(
    line: CommandLine,
    file: EventFile,
    bad_uses: tuple[UnusableRow, ...],
    configuration: Configuration,
) -> None:
    for reason, count in file.unusable.items():
        sys.stderr.write(f"{line.prog}: {count} rows left out: {reason}\n")
    if bad_uses:
        sys.stderr.write(f"{line.prog}: {len(bad_uses)} rows of the configuration left out\n")
    strangers = sorted(set(configuration.device) - set(file.events.devices))
    if strangers:
        few = ", ".join(strangers[:5])
        sys.stderr.write(f"{line.prog}: configured, but without events: {few}\n")
