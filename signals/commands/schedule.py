"""``schedule``: which plan runs on which day at which time, from weeks of counts."""

import datetime as dt
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from city.command_line import CommandLine
from city.errors import Invalid
from signals.adapters.count_files import (
    LANGUAGES,
    MOST_BYTES,
    Language,
    read_counts,
    template_csv,
    template_workbook,
)
from signals.rules.counts.gaps import gap_json, gaps_of
from signals.rules.counts.places import Legs, legs_of
from signals.rules.counts.tables import QUARTER_MIN, CountTable
from signals.rules.model.document_writing import document_of
from signals.rules.model.files import read_network
from signals.rules.model.junction import SignalNetwork
from signals.rules.model.plans import Programme
from signals.rules.safety.case import prepare
from signals.rules.safety.profiles import PROFILES, Profile, profile_named
from signals.rules.schedules.documents import (
    date_json,
    dates_between,
    programmes,
    schedule_json,
)
from signals.rules.schedules.exceptions import SpecialDays, exceptions_from_json
from signals.rules.schedules.library import Site
from signals.rules.schedules.making import make_schedule
from signals.rules.schedules.model import NightFlashing, Schedule, Settings, run_on

if TYPE_CHECKING:
    from argparse import Namespace

    from pydantic import JsonValue

SUMMARY: Final = "make a schedule of plans from weeks of counts"

_EXAMPLE: Final = """python -m signals schedule counts.xlsx --network net.xml --out schedule.json

counts (CSV or .xlsx), a row a quarter of an hour and movement:
  junction,date,start,approach,movement,car,bus,truck,articulated,motorcycle,ebike,bicycle,walker
Rows that cannot be used are named, with exit status 1; the others make the schedule.
Empty tables: --template counts.xlsx or --template counts.csv (--language zh)."""
_SHOWN: Final = 200
_MOST_DATES: Final = 400
_HALF_DAY_MIN: Final = 720
_NET_BYTES: Final = 512 * 1024 * 1024
_TIME_LIMIT_S: Final = 300.0


def run(arguments: Sequence[str]) -> int:
    """Print the schedule; return 0, 1 where rows or sections could not be used, 2 on bad input."""
    line = _line()
    given = line.parse_args(arguments)
    try:
        network, own = read_network(line.read_bytes(given.network, _NET_BYTES))
        profile = profile_named(given.profile)
    except Invalid as error:
        line.error(f"{given.network}: {error}")
    places = legs_of(network)
    if given.template is not None:
        return _template(line, Path(given.template), places, given.language)
    settings, dates, special = _asked(line, given)
    begun_s = time.perf_counter()
    table = _table(line, given.counts, places)
    sections = _sections(line, given.section, network, {leg.junction for leg in table.legs})
    ends_s = time.monotonic() + given.time_limit
    made: dict[str, Schedule] = {}
    without: list[JsonValue] = []
    for name, junctions in sections.items():
        sites = [
            _site(network, own, profile, places[each], keep_stages=given.keep_stages)
            for each in junctions
        ]
        try:
            made[name] = make_schedule(
                sites, table.legs, special, settings, lambda: time.monotonic() > ends_s
            )
        except Invalid as error:
            without.append({"section": name, "why": str(error)})
            sys.stderr.write(f"{line.prog}: {name}: {error}\n")
    if given.out is not None and made:
        _write(line, Path(given.out), made)
    line.answer(
        {
            "counts": _counts(table),
            "profile": profile.name,
            "schedules": [
                {
                    **schedule_json(name, schedule),
                    "dates": [date_json(run_on(schedule, date)) for date in dates],
                }
                for name, schedule in made.items()
            ],
            "without": without,
            "out": given.out if made else None,
            "solve_s": round(time.perf_counter() - begun_s, 2),
        }
    )
    if table.refused:
        sys.stderr.write(f"{line.prog}: {len(table.refused)} rows not used; {_said(table)}\n")
    return 1 if table.refused or without else 0


def _line() -> CommandLine:
    line = CommandLine("signals", "schedule", SUMMARY, _EXAMPLE)
    line.add_argument("counts", metavar="COUNTS", nargs="?", help="15-minute counts, CSV or .xlsx")
    line.add_argument("--network", metavar="NET", required=True, help="the junctions")
    line.add_argument(
        "--profile", metavar="NAME", default="gb", help=f"one of {', '.join(PROFILES)} (gb)"
    )
    line.add_argument(
        "--section",
        metavar="NAME=A,B",
        action="append",
        default=[],
        help="junctions that change plans together, with one cycle (each by itself)",
    )
    line.add_argument("--exceptions", metavar="FILE.json", help="events and works")
    line.add_argument("--least-min", type=int, default=30, metavar="MIN", help="of a plan (30)")
    line.add_argument("--most-plans", type=int, default=12, metavar="N", help="of a section (12)")
    line.add_argument("--day-types", type=int, metavar="N", help="at most (as many as differ)")
    line.add_argument("--night-flashing", action="store_true", help="flash yellow on quiet nights")
    line.add_argument(
        "--keep-stages", action="store_true", help="of the plans in force: greens and cycle change"
    )
    line.add_argument("--from", dest="first", metavar="DATE", help="tell what dates run, from")
    line.add_argument("--to", dest="last", metavar="DATE", help="up to and with")
    line.add_argument(
        "--time-limit",
        type=float,
        default=_TIME_LIMIT_S,
        metavar="S",
        help=f"then the best of the plans made so far ({_TIME_LIMIT_S:g})",
    )
    line.add_argument("--out", metavar="FILE.json", help="where the plans and schedules go")
    line.add_argument("--template", metavar="FILE", help="write an empty table, .xlsx or .csv")
    line.add_argument("--language", choices=LANGUAGES, default="en", help="of the template (en)")
    return line


def _asked(
    line: CommandLine, given: "Namespace"
) -> tuple[Settings, list[dt.date], tuple[SpecialDays, ...]]:
    if given.counts is None:
        line.error("COUNTS is missing")
    if not 0 < given.least_min <= _HALF_DAY_MIN or given.least_min % QUARTER_MIN:
        line.error("--least-min must be whole quarters of an hour, up to 720")
    if given.most_plans < 1 or (given.day_types is not None and given.day_types < 1):
        line.error("--most-plans and --day-types must be at least 1")
    if not given.time_limit > 0:
        line.error("--time-limit must be positive")
    special: tuple[SpecialDays, ...] = ()
    if given.exceptions is not None:
        try:
            special = exceptions_from_json(line.read_json(given.exceptions))
        except Invalid as error:
            line.error(f"{given.exceptions}: {error}")
    settings = Settings(
        least_quarters=given.least_min // QUARTER_MIN,
        most_plans=given.most_plans,
        most_types=given.day_types,
        night=NightFlashing() if given.night_flashing else None,
    )
    return settings, _dates(line, given.first, given.last), special


def _table(line: CommandLine, name: str, places: dict[str, Legs]) -> CountTable:
    try:
        table = read_counts(line.read_bytes(name, MOST_BYTES), places)
    except Invalid as error:
        line.error(f"{name}: {error}")
    if not table.legs:
        line.error(f"{name}: no row can be used{f': {_said(table)}' if table.refused else ''}")
    return table


def _counts(table: CountTable) -> "dict[str, JsonValue]":
    gaps = gaps_of(table.legs)
    return {
        "rows": table.rows,
        "refused": len(table.refused),
        "refusals": [
            {"row": one.row, "junction": one.junction, "field": one.field, "why": one.why}
            for one in table.refused[:_SHOWN]
        ],
        "gaps": len(gaps),
        "gaps_shown": [gap_json(gap) for gap in gaps[:_SHOWN]],
    }


def _template(line: CommandLine, path: Path, places: dict[str, Legs], language: Language) -> int:
    if path.suffix not in {".xlsx", ".csv"}:
        line.error("--template must end in .xlsx or .csv")
    workbook = path.suffix == ".xlsx"
    content = template_workbook(places, language) if workbook else template_csv(language)
    try:
        path.write_bytes(content)
    except OSError as error:
        line.error(f"{path}: {error.strerror or error}")
    line.answer({"template": str(path)})
    return 0


def _dates(line: CommandLine, first: str | None, last: str | None) -> list[dt.date]:
    if first is None and last is None:
        return []
    if first is None:
        line.error("--to needs --from")
    try:
        begin = dt.date.fromisoformat(first)
        end = begin if last is None else dt.date.fromisoformat(last)
    except ValueError:
        line.error("--from and --to must be dates, as 2026-03-02")
    if not begin <= end <= begin + dt.timedelta(days=_MOST_DATES):
        line.error(f"--to must lie within {_MOST_DATES} days behind --from")
    return dates_between(begin, end)


def _sections(
    line: CommandLine, given: Sequence[str], network: SignalNetwork, counted: set[str]
) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    taken: set[str] = set()
    for text in given:
        name, _, names = text.partition("=")
        junctions = [each for each in names.split(",") if each]
        if not name or not junctions or name in found:
            line.error(f"--section {text}: must be NAME=A,B with a name of its own")
        for each in junctions:
            if each not in network.junction_of:
                line.error(f"--section {name}: the network has no signal {each}")
            if each in taken or junctions.count(each) > 1:
                line.error(f"--section {name}: {each} is in a section already")
        taken |= set(junctions)
        found[name] = junctions
    for each in sorted(counted - taken):
        if each in found:
            line.error(f"--section {each}: is the name of a junction that is in no section")
        found[each] = [each]
    return found


def _site(
    network: SignalNetwork,
    own: Sequence[Programme],
    profile: Profile,
    legs: Legs,
    *,
    keep_stages: bool,
) -> Site:
    plans = tuple(each for each in own if each.junction == legs.junction)
    case = prepare(network.junction_of[legs.junction], network, profile, plans)
    return Site(case, legs, plans, keep_stages)


def _write(line: CommandLine, out: Path, made: dict[str, Schedule]) -> None:
    plans = [plan for name, schedule in made.items() for plan in programmes(name, schedule)]
    document: dict[str, JsonValue] = {
        **document_of(None, plans),
        "schedules": [schedule_json(name, schedule) for name, schedule in made.items()],
    }
    try:
        out.write_text(json.dumps(document, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        line.error(f"{out}: {error.strerror or error}")


def _said(table: CountTable) -> str:
    one = table.refused[0]
    where = f"{one.junction}, " if one.junction else ""
    return f"row {one.row}: {where}{one.field}: {one.why}"
