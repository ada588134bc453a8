"""How what gates, cameras and people say of one vehicle joins to its visits: decisions only."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.errors import Conflict, Invalid
from city.identifiers import DistrictCode, FacilityId, ParkingSessionId, VehicleId, uuid7
from parking.rules.evidence import Evidence, EvidenceKind, EvidenceSource, Hold
from parking.rules.stays import BayStay, ClosingReason
from parking.rules.visits import Visit, join, reconcile

START_AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
FACILITY = FacilityId(UUID(int=2))
VEHICLE = VehicleId(UUID(int=3))
OTHER = VehicleId(UUID(int=4))
KINDS = {
    "in": EvidenceKind.GATE_ENTRY,
    "out": EvidenceKind.GATE_EXIT,
    "seen": EvidenceKind.CAMERA_READ,
    "in!": EvidenceKind.ENTRY_STATED,
    "out!": EvidenceKind.EXIT_STATED,
    "met": EvidenceKind.PLATE_SEEN,
}


def at(minute: float) -> datetime:
    return START_AT + timedelta(minutes=minute)


def said(kind: str, minute: float, certainty: int = 990, **members: VehicleId) -> Evidence:
    return Evidence(
        KINDS[kind],
        at(minute),
        at(minute),
        EvidenceSource.GATE,
        certainty,
        "gate-1",
        FACILITY,
        DistrictCode("0153"),
        vehicle_id=VEHICLE,
        read_as=members.get("read_as"),
    )


def words(text: str) -> list[Evidence]:
    """Read evidence such as ``in0 out60``."""
    found = []
    for word in text.split():
        kind = word.rstrip("0123456789.")
        found.append(said(kind, float(word.removeprefix(kind))))
    return found


def spans(visits: tuple[Visit, ...]) -> list[tuple[datetime, datetime | None, str | None]]:
    return [(each.opened_at, each.closed_at, each.hold) for each in visits]


def test_an_entry_and_an_exit_make_a_visit() -> None:
    (visit,) = join(words("in0 out61"))
    assert spans((visit,)) == [(at(0), at(61), None)]
    assert (visit.reason, visit.vehicle_id) == (ClosingReason.GATE_EXIT, VEHICLE)


def test_a_vehicle_that_has_not_left_is_inside() -> None:
    assert spans(join(words("in0 out61 in100"))) == [(at(0), at(61), None), (at(100), None, None)]


def test_an_exit_without_an_entry_is_held_and_of_no_length() -> None:
    (visit,) = join(words("out61"))
    assert spans((visit,)) == [(at(61), at(61), Hold.NO_ENTRY)]
    assert visit.reason is ClosingReason.NO_ENTRY


def test_an_entry_without_an_exit_ends_when_it_was_last_seen_and_is_held() -> None:
    visits = join(words("in0 seen40 in300"))
    assert spans(visits) == [(at(0), at(40), Hold.MISSED_EXIT), (at(300), None, None)]
    assert visits[0].reason is ClosingReason.MISSED_EXIT
    assert spans(join(words("in0 in300")))[0] == (at(0), at(0), Hold.MISSED_EXIT)


def test_a_late_entry_completes_the_exit_that_stood_alone() -> None:
    assert spans(join(words("out61 in0"))) == [(at(0), at(61), None)]


def test_a_late_exit_ends_the_visit_whose_exit_was_missed() -> None:
    assert spans(join(words("in0 in300 out61"))) == [(at(0), at(61), None), (at(300), None, None)]


def test_a_person_states_what_no_gate_saw() -> None:
    (visit,) = join(words("in!0 out61"))
    assert spans((visit,)) == [(at(0), at(61), None)]
    left, _ = join(words("in0 out!61 in300"))
    assert (left.closed_at, left.reason, left.hold) == (at(61), ClosingReason.STATED, None)


def test_a_passage_read_twice_is_one() -> None:
    assert spans(join(words("in0 in0.5 out61 out61.5"))) == [(at(0), at(61), None)]


def test_a_return_within_minutes_is_another_visit() -> None:
    assert spans(join(words("in0 out61 in62 out70"))) == [
        (at(0), at(61), None),
        (at(62), at(70), None),
    ]


def test_the_most_certain_read_names_the_vehicle() -> None:
    (visit,) = join([said("in", 0, 700), said("out", 61, 990, read_as=OTHER)])
    assert (visit.vehicle_id, visit.hold) == (OTHER, None)


def test_a_plate_that_nobody_read_well_is_not_billed() -> None:
    (visit,) = join([said("in", 0, 700), said("out", 61, 940)])
    assert visit.hold is Hold.PLATE_DOUBTFUL


def test_what_a_person_says_of_the_vehicle_counts_before_every_read() -> None:
    stated = replace(said("met", 0), kind=EvidenceKind.IDENTIFIED, read_as=OTHER, certainty=1000)
    for order in ([stated, *words("in0 out61")], [*words("in0 out61"), stated]):
        (visit,) = join(order)
        assert (visit.vehicle_id, visit.certainty) == (OTHER, 1000)


def test_a_car_that_a_person_met_is_charged_between_two_sights_at_most() -> None:
    assert spans(join(words("met0 met30 out!30"))) == [(at(0), at(30), None)]


def test_a_reservation_alone_opens_nothing() -> None:
    assert join([replace(said("in", 0), kind=EvidenceKind.RESERVATION)]) == ()


def test_a_certainty_beyond_all_bounds_is_refused() -> None:
    with pytest.raises(Invalid, match="between 0 and 1000"):
        said("in", 0, 1001)


def kept(stays: tuple[BayStay, ...]) -> list[BayStay]:
    return [replace(stay, id=stay.id or ParkingSessionId(uuid7())) for stay in stays]


def test_a_visit_keeps_its_stay_when_late_evidence_completes_it() -> None:
    entry, leaving = words("in0 out61")
    first, _ = reconcile([], join([leaving]), at(61))
    known = kept(tuple(each.stay for each in first))
    (second,), gone = reconcile(known, join([entry, leaving]), at(70))
    assert gone == ()
    assert (second.stay.id, second.stay.opened_at, second.stay.hold) == (known[0].id, at(0), None)


def test_two_visits_that_turn_out_to_be_one_leave_one_stay() -> None:
    entry, again, leaving = words("in0 in0.5 out61")
    first, _ = reconcile([], join([entry]), at(0))
    second, _ = reconcile([], join([leaving]), at(61))
    known = kept(tuple(each.stay for each in (*first, *second)))
    (whole,), gone = reconcile(known, join([entry, again, leaving]), at(70))
    assert (whole.stay.id, gone) == (known[0].id, (known[1].id,))


def test_what_is_billed_is_never_joined_anew() -> None:
    done = BayStay(at(0), "1", ParkingSessionId(uuid7()), closed_at=at(1), announced_at=at(1))
    with pytest.raises(Conflict, match="billed"):
        reconcile([done], join(words("in0 out61")), at(70))


def test_what_a_dispute_undid_waits_for_a_correction() -> None:
    evidence = words("in0 out61")
    (first,), _ = reconcile([], join(evidence), at(61))
    held = kept((replace(first.stay, hold=Hold.DISPUTED),))
    (same,), _ = reconcile(held, join(evidence), at(70))
    assert same.stay.hold is Hold.DISPUTED
    named = replace(evidence[0], kind=EvidenceKind.IDENTIFIED, read_as=OTHER, id=uuid7())
    (corrected,), _ = reconcile(held, join([*evidence, named]), at(70))
    assert (corrected.stay.hold, corrected.stay.vehicle_id) == (None, OTHER)


EVIDENCE = st.lists(
    st.tuples(st.sampled_from(sorted(KINDS)), st.integers(0, 400)), min_size=1, max_size=14
)


@given(EVIDENCE, st.randoms(use_true_random=False))
def test_visits_do_not_depend_on_the_order_of_arrival_nor_on_repetition(
    steps: list[tuple[str, int]], random: object
) -> None:
    evidence = [said(kind, minute) for kind, minute in steps]
    shuffled = [*evidence, *evidence[: len(evidence) // 2]]
    random.shuffle(shuffled)  # type: ignore[attr-defined] # hypothesis gives a Random
    assert join(shuffled) == join(evidence)


@given(EVIDENCE)
def test_visits_never_overlap_and_nobody_pays_for_time_that_no_evidence_bounds(
    steps: list[tuple[str, int]],
) -> None:
    evidence = [said(kind, minute) for kind, minute in steps]
    instants = {each.at for each in evidence}
    visits = join(evidence)
    for one, other in pairwise(visits):
        assert one.closed_at is not None
        assert one.closed_at <= other.opened_at
    for visit in visits:
        assert {visit.opened_at, visit.closed_at or visit.opened_at} <= instants
    used = [name for visit in visits for name in visit.evidence]
    assert len(used) == len(set(used))
