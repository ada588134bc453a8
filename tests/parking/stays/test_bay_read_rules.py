"""What a camera's read of a bay may do to the stay there: never open one, never overrule."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from city.identifiers import ParkingSessionId, VehicleId, uuid7
from parking.rules.bay_reads import Agreement, ReadOutcome, judge
from parking.rules.evidence import PartKind, SetAside
from parking.rules.stays import BayStay

NINE = datetime(2026, 3, 2, 1, tzinfo=UTC)
OPEN = BayStay(NINE, "1-0", ParkingSessionId(uuid7()))
NOTED = replace(OPEN, vehicle_id=VehicleId(uuid7()), attached_at=NINE)
ENDED = replace(OPEN, closed_at=NINE + timedelta(hours=1))


def outcome(
    stay: BayStay | None,
    agreement: Agreement | None = None,
    *,
    accepted: bool = True,
    settled: bool = False,
    minutes: float = 0,
) -> ReadOutcome:
    now = NINE + timedelta(minutes=minutes)
    return judge(stay, accepted=accepted, agreement=agreement, settled=settled, now=now)


def test_each_read_has_its_outcome() -> None:
    found = [
        outcome(None),
        outcome(OPEN),
        outcome(OPEN, accepted=False),
        outcome(NOTED, Agreement.SAME, accepted=False),
        outcome(NOTED, Agreement.OTHER),
        outcome(NOTED, Agreement.UNCLEAR),
        outcome(NOTED, Agreement.OTHER, accepted=False),
        outcome(NOTED, Agreement.OTHER, settled=True),
        outcome(ENDED, minutes=75),
        outcome(ENDED, minutes=76),
        outcome(replace(NOTED, announced_at=NINE), Agreement.OTHER),
        outcome(replace(OPEN, set_aside=SetAside.WORKS)),
        outcome(replace(NOTED, part_of=OPEN.id, part_kind=PartKind.INSIDE), Agreement.SAME),
    ]
    assert [each.value for each in found] == [
        "no-stay",
        "attached",
        "noted",
        "confirmed",
        "held",
        "held",
        "noted",
        "noted",
        "attached",
        "noted",
        "billed",
        "noted",
        "noted",
    ]


@given(
    accepted=st.booleans(),
    agreement=st.none() | st.sampled_from(Agreement),
    settled=st.booleans(),
    minutes=st.floats(0, 10_000),
)
def test_an_unsure_read_changes_nothing_and_no_read_overrules_who_was_noted(
    accepted: bool, agreement: Agreement | None, settled: bool, minutes: float
) -> None:
    for stay in (None, OPEN, ENDED, NOTED):
        known = agreement if stay is NOTED else None
        said = outcome(
            stay,
            known or (Agreement.OTHER if stay is NOTED else None),
            accepted=accepted,
            settled=settled,
            minutes=minutes,
        )
        if not accepted:
            assert said not in {ReadOutcome.ATTACHED, ReadOutcome.HELD}
        if stay is NOTED:
            assert said is not ReadOutcome.ATTACHED
