"""``import-places``: kerbs, bays and car parks from somebody's file."""

import re
from argparse import Namespace
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from city.errors import CityError, Invalid
from city.identifiers import DistrictCode, parse_district_code
from city.people.actors import system_actor
from city.works.command_database import who_types
from city.works.database import Database, UnitOfWork
from city.works.logs import configure_logs
from city.works.settings import settings
from city.works.shared_setting import business_clock
from parking.commands import CommandLine
from parking.rules.places.importing.stated import (
    FORMATS,
    ImportFormat,
    ImportOptions,
    ImportPlan,
)
from parking.services import places
from parking.services.place_import import (
    MOST_BYTES,
    ImportTarget,
    import_places,
    read_plan,
)
from parking.services.place_keeping import operator_of_code

SUMMARY = "import kerbs, bays and car parks from GeoJSON, CurbLR or CSV"
_OWNERSHIPS: Final = ("public", "roadside", "commercial", "institutional", "residential")
_SUFFIXES: Final[dict[str, ImportFormat]] = {".csv": "csv", ".geojson": "geojson"}


def _line() -> CommandLine:
    line = CommandLine(
        "import-places",
        "Import places: good features are kept, every other one is named with the field at fault "
        "and the rule it breaks. The same file again changes nothing. Exit status 1 where a "
        "feature was rejected.",
        "python -m parking import-places kehl.geojson --format geojson --district 0153"
        " --operator city --timezone Europe/Berlin",
    )
    line.add_argument("file", type=Path, metavar="FILE")
    line.add_argument("--format", choices=FORMATS, help="default: by the file's name")
    line.add_argument(
        "--source",
        metavar="NAME",
        help="names the places again in later imports; default: by the file's name",
    )
    line.add_argument("--district", metavar="CODE", help="default: the only one there is")
    line.add_argument(
        "--operator", metavar="CODE", help="registered where there is none; default: the source"
    )
    line.add_argument("--kind", choices=("kerb", "lot", "garage", "mechanical"), default="kerb")
    line.add_argument("--ownership", choices=_OWNERSHIPS, help="default: by each place's kind")
    line.add_argument(
        "--revenue-nature", choices=("public_non_tax", "commercial"), default="public_non_tax"
    )
    line.add_argument(
        "--timezone", metavar="ZONE", default="Asia/Shanghai", help="where the file has none"
    )
    line.add_argument(
        "--bay-length-m",
        type=float,
        metavar="M",
        help="CurbLR: share kerbs without a stated number out among bays of this length",
    )
    line.add_argument(
        "--dry-run", action="store_true", help="say what would be done; change nothing"
    )
    line.add_argument(
        "--check", action="store_true", help="read the file alone: no database is needed"
    )
    return line


def run(arguments: Sequence[str]) -> int:
    """Print the report; 1 where a feature was rejected, 2 where the file cannot be used."""
    line = _line()
    given = line.parse_args(arguments)
    kind: ImportFormat = given.format or _kind(given.file)
    source = given.source or _source(given.file)
    options = ImportOptions(source, given.kind, given.timezone, given.ownership, given.bay_length_m)
    try:
        plan = read_plan(kind, _content(given.file), options)
        report = _checked(plan, source) if given.check else _imported(plan, options, given)
    except CityError as error:
        line.error(str(error))
    line.answer(report)
    rejected = report["rejected"]
    return 1 if rejected else 0


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise Invalid(f"{path} is larger than {MOST_BYTES} bytes", field="file")
        return path.read_bytes()
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}", field="file") from None


def _kind(path: Path) -> ImportFormat:
    name = path.name.lower()
    if ".curblr." in name:
        return "curblr"
    return _SUFFIXES.get(path.suffix.lower(), "geojson")


def _source(path: Path) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", path.name.lower().partition(".")[0]).strip("-")
    return plain[:40].rstrip("-") or "import"


def _checked(plan: ImportPlan, source: str) -> dict[str, object]:
    return {
        "source": source,
        "checked": True,
        "features": len(plan.accepted) + len(plan.rejected),
        "facilities": {"planned": len(plan.facilities)},
        "zones": {"planned": sum(len(each.zones) for each in plan.facilities)},
        "bays": {"planned": sum(len(each.bays) for each in plan.facilities)},
        "accepted": [each.as_json() for each in plan.accepted],
        "rejected": [each.as_json() for each in plan.rejected],
    }


def _imported(plan: ImportPlan, options: ImportOptions, given: Namespace) -> dict[str, object]:
    known = settings()
    configure_logs(known.log_level, process="import-places")
    actor = system_actor(f"command.{who_types()}")
    with ExitStack() as open_servers:
        database = Database(
            known.database_url or known.addresses().database,
            clock=business_clock(known),
            application="greenbay-import-places",
            pool_size=1,
            statement_timeout_s=None,
        )
        open_servers.callback(database.close)
        with database.unit_of_work() as uow:
            target = ImportTarget(
                _district(uow, given.district),
                operator_of_code(uow, actor, given.operator or options.source).id,
                given.revenue_nature,
            )
            report = import_places(uow, actor, plan, options, target, dry_run=given.dry_run)
    return {**report.as_json()}


def _district(uow: UnitOfWork, given: str | None) -> DistrictCode:
    if given is not None:
        return parse_district_code(given, "--district")
    known = places.districts(uow.connection)
    if len(known) != 1:
        raise Invalid("must be stated: there is not exactly one district", field="--district")
    return known[0]
