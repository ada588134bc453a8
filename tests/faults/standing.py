"""What has to stand after rounds: stays, what is said of them and their bills, from acts alone.

Written down anew and without our code: a bay's stays follow from who said what when, one act after
the other. Instants are those that the acts are kept with, which are held against the truth by
themselves.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from tests.faults.walks import Step, Walk

UNIT_S: Final = 210
PRICE_MINOR: Final = 300
"""Each begun unit of a stay costs so much: no turn's acts lie a multiple of it apart."""
GRACE: Final = timedelta(minutes=15)
"""How long after a stay's end its vehicle may still be noted."""
WITHOUT_STAY: Final = frozenset(
    {
        "report",
        "cash",
        "shift-begin",
        "shift-pause",
        "shift-resume",
        "cash-give",
        "cash-take",
        "shift-count",
        "shift-explain",
        "sign-out",
    }
)
TOLD: Final = (
    "plate-seen", "ended", "split", "joined", "vehicle-moved", "set-aside", "exempted",
    "paid-ahead", "escaped",
)  # fmt: skip
"""What people say of a stay."""


@dataclass(slots=True)
class Stood:
    """A stay as it has to be."""

    bay: str
    opened_at: datetime
    opened_by: str
    vehicle: str | None = None
    seen_at: datetime | None = None
    """When its vehicle was seen last."""
    ended_at: datetime | None = None
    set_aside: str | None = None
    exempt: str | None = None
    part_of: Stood | None = None
    ahead_minor: int = 0
    escaped: bool = False
    said: Counter[str] = field(default_factory=Counter)

    def name_it(self, vehicle: str, at: datetime) -> None:
        """Say whose it is."""
        self.vehicle, self.seen_at = vehicle, at

    def end(self, at: datetime) -> None:
        """Say when it ended."""
        self.ended_at = at
        self.said["ended"] += 1

    def over(self, at: datetime) -> bool:
        """Say whether a vehicle that is seen then is another one than this stay's."""
        if self.ended_at is None:
            return False
        return self.vehicle is not None or at - self.ended_at > GRACE

    def row(self) -> tuple[object, ...]:
        """Give it as it is compared."""
        part = None if self.part_of is None else (self.part_of.bay, self.part_of.opened_at)
        end = (self.ended_at, self.ended_at)
        return (self.opened_by, self.vehicle, *end, self.set_aside, self.exempt, part)

    def bill(self) -> tuple[int, int, int, int, bool] | None:
        """Give amount, what is taken of it from cash ahead, off, left; whether it is due at once.

        None where nothing is billed.
        """
        nobody = self.vehicle is None or self.set_aside is not None or self.part_of is not None
        if nobody or self.ended_at is None:
            return None
        seconds = math.floor(self.ended_at.timestamp()) - math.ceil(self.opened_at.timestamp())
        fee = -(-seconds // UNIT_S) * PRICE_MINOR
        if self.exempt:
            return fee, 0, fee, 0, False
        applied = min(fee, self.ahead_minor)
        return fee - applied, applied, 0, fee - applied, self.escaped and fee > applied


class Street:
    """The bays of one terminal while its acts are gone through.

    Parameters
    ----------
    sensed
        When a sensor saw a vehicle arrive, by bay.
    beside
        Bays that one vehicle can stand in both of, either way.
    """

    def __init__(
        self, sensed: Mapping[str, tuple[datetime, str]], beside: frozenset[frozenset[str]]
    ) -> None:
        self.stays: defaultdict[str, list[Stood]] = defaultdict(list)
        self._beside = beside
        for bay, (at, by) in sensed.items():
            self.stays[bay].append(Stood(bay, at, by))

    def all(self) -> list[Stood]:
        """Give all stays."""
        return [stay for stays in self.stays.values() for stay in stays]

    def tell(self, step: Step, at: datetime, vehicle: str | None) -> None:
        """Let an act that took effect do what it does."""
        bay = str(step.members.get("bay_id", ""))
        if step.kind == "plate" and vehicle is not None:
            self._plate(bay, step, at, vehicle)
        elif step.kind not in WITHOUT_STAY:
            last = self.stays[bay][-1]
            match step.kind:
                case "end":
                    last.end(at)
                case "split":
                    self._split(last, step, at)
                case "swap":
                    later = self._part(last, last.seen_at or last.opened_at, at)
                    later.vehicle = vehicle
                case "move" | "join":
                    self._between(last, self.stays[str(step.members["to_bay_id"])][-1], step.kind)
                case _:
                    self._mark(last, step, at)

    def _plate(self, bay: str, step: Step, at: datetime, vehicle: str) -> None:
        stays = self.stays[bay]
        if not stays or stays[-1].over(at):
            stays.append(Stood(bay, at, f"attendant:{step.id.hex}"))
        here = stays[-1]
        if here.vehicle is None and here.ended_at is None:
            there = [
                each
                for each in self.all()
                if each.vehicle == vehicle and each.ended_at is None and not each.part_of
            ]
            counts = [each for each in there if frozenset({bay, each.bay}) in self._beside]
            if counts:
                self._between(here, counts[0], "join")
                return
        here.name_it(vehicle, at)
        here.said["plate-seen"] += 1

    def _split(self, last: Stood, step: Step, at: datetime) -> None:
        cut_at = at - timedelta(minutes=step.members["minutes_before"])
        later = self._part(last, cut_at, cut_at)
        if not step.members["vehicle_left"]:
            later.vehicle, last.vehicle = last.vehicle, None

    def _part(self, earlier: Stood, ended_at: datetime, opened_at: datetime) -> Stood:
        """Part a stay by a word that is said of both."""
        earlier.ended_at = ended_at
        later = Stood(earlier.bay, opened_at, earlier.opened_by)
        for each in (earlier, later):
            each.said["split"] += 1
        self.stays[earlier.bay].append(later)
        return later

    @staticmethod
    def _between(one: Stood, other: Stood, kind: str) -> None:
        word = "vehicle-moved" if kind == "move" else "joined"
        for each in (one, other):
            each.said[word] += 1
        if kind == "move":
            other.vehicle, one.vehicle = one.vehicle, None
        else:
            one.part_of = other

    @staticmethod
    def _mark(last: Stood, step: Step, at: datetime) -> None:
        match step.kind:
            case "set-aside":
                last.set_aside = str(step.members["what"])
                last.said["set-aside"] += 1
            case "exempt":
                last.exempt = str(step.members["exempt"])
                last.said["exempted"] += 1
            case "ahead":
                last.ahead_minor += step.minor
                last.said["paid-ahead"] += 1
            case _:
                last.end(at)
                last.escaped = True
                last.said["escaped"] += 1


def street_of(walk: Walk, kept: Mapping[Any, Any]) -> Street:
    """Go through what a terminal told, as it is kept."""
    street = Street(walk.sensed, walk.beside)
    for step in walk.steps:
        row = kept.get(step.id)
        if row is not None and not step.refused:
            street.tell(step, row.at, row.detail.get("vehicle_id"))
    return street


_STAYS: Final = text(
    "select s.id, s.bay_id, s.opened_evidence, s.opened_at, s.closed_at, s.ended_at,"
    " s.vehicle_id, s.set_aside, s.exempt, w.bay_id as whole_bay, w.opened_at as whole_opened_at,"
    " (select jsonb_object_agg(e.kind, e.times) from (select kind, count(*) as times"
    "  from parking.stay_evidence where session_id = s.id group by kind) e) as said"
    " from parking.parking_session s left join parking.parking_session w on w.id = s.part_of"
    " where s.bay_id = any(cast(:bays as uuid[]))"
)
_BILLS: Final = text(
    "select s.bay_id, s.opened_at, b.amount_minor, b.applied_minor, b.lowered_minor,"
    " b.amount_minor - b.lowered_minor - b.paid_minor as left_minor,"
    " b.due_at <= b.issued_at or b.due_at <= now() as due"
    " from payments.bill b join parking.parking_session s on s.id = b.session_id"
    " where b.part = 'stay' and s.bay_id = any(cast(:bays as uuid[]))"
)


def differing_stays(
    connection: Connection, street: Street, bays: Sequence[str]
) -> tuple[list[str], int]:
    """Give stays that are not as they have to be, and how many there are."""
    wanted = {(each.bay, each.opened_at): (each.row(), +each.said) for each in street.all()}
    rows = connection.execute(_STAYS, {"bays": list(bays)}).all()
    found = {}
    for row in rows:
        part = None if row.whole_bay is None else (str(row.whole_bay), row.whole_opened_at)
        vehicle = None if row.vehicle_id is None else str(row.vehicle_id)
        as_is = (
            row.opened_evidence,
            vehicle,
            row.ended_at,
            row.closed_at,
            row.set_aside,
            row.exempt,
            part,
        )
        said = Counter({kind: times for kind, times in (row.said or {}).items() if kind in TOLD})
        found[str(row.bay_id), row.opened_at] = (as_is, said)
    return _differing("stay", wanted, found), len(rows)


def differing_bills(
    connection: Connection, street: Street, bays: Sequence[str], unpriced: frozenset[str]
) -> tuple[list[str], int]:
    """Give bills of stays that are not as they have to be, and how many there are."""
    wanted = {
        (each.bay, each.opened_at): bill
        for each in street.all()
        if each.bay not in unpriced and (bill := each.bill()) is not None
    }
    rows = connection.execute(_BILLS, {"bays": list(bays)}).all()
    found = {
        (str(row.bay_id), row.opened_at): (
            row.amount_minor,
            row.applied_minor,
            row.lowered_minor,
            row.left_minor,
            row.due,
        )
        for row in rows
    }
    wrong = _differing("bill", wanted, found)
    if len(rows) != len(found):
        wrong.append(f"{len(rows)} bills of {len(found)} stays")
    return wrong, len(rows)


def _differing(what: str, wanted: Mapping[Any, Any], found: Mapping[Any, Any]) -> list[str]:
    return [
        f"{what} {key}: {found.get(key)} and not {wanted.get(key)}"
        for key in wanted.keys() | found.keys()
        if wanted.get(key) != found.get(key)
    ]
