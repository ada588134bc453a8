"""The list of who differs from peers: for supervisors, each look on record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from apiflask import APIBlueprint

from city.audit import record
from city.people import Role
from city.time import parse_rfc3339
from payments.rules.honesty import FALSE_SHARE
from payments.store import honesty as store
from web import access
from web.acts import look
from web.api.names import names_of
from web.api.schemas.honesty import HonestyOut

if TYPE_CHECKING:
    from collections.abc import Mapping

    from city.works.database import UnitOfWork
    from payments.rules.honesty import Line

blueprint = APIBlueprint("honesty", __name__, url_prefix="/api/v1", tag="Patrol")
READERS: Final = (Role.OPERATOR, Role.AUDITOR)


@blueprint.get("/honesty")
@access.allow(*READERS)
@look
@blueprint.output(HonestyOut)
@blueprint.doc(
    summary="Who differs from peers by more than chance: signals, no verdicts",
    description="Worked out hourly from a fortnight. Looking is on record.",
)
def honesty(uow: UnitOfWork) -> dict[str, Any]:
    """Show the last list."""
    caller = access.known_actor()
    run = store.latest(uow.connection)
    if run is None:
        return {
            "from_at": None,
            "until_at": None,
            "people": 0,
            "looks": 0,
            "false_share": FALSE_SHARE,
            "rested_on": {},
            "lines": [],
        }
    lines = store.lines_of(uow.connection, run.id, caller.districts)
    names = names_of(uow.connection, (each.person for each in lines))
    record(uow, caller, "payments.honesty_seen", "honesty_run", str(run.id), {"lines": len(lines)})
    return {
        "from_at": run.from_at,
        "until_at": run.until_at,
        "people": run.people,
        "looks": run.looks,
        "false_share": run.false_share,
        "rested_on": run.rested_on,
        "lines": [_line(each, names) for each in lines],
    }


def _line(line: Line, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        **{
            name: getattr(line, name)
            for name in (
                "person", "value", "usual", "events", "trials", "expected", "ratio", "p", "q",
                "people", "strata",
            )
        },
        "signal": line.signal.value,
        "name": names.get(line.person, ""),
        "evidence": [
            {"kind": each.kind.value, "id": each.id, "at": parse_rfc3339(each.at, "at")}
            for each in line.evidence
        ],
    }  # fmt: skip
