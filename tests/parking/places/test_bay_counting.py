"""Counts by purpose: what sank others is a test each."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from parking.rules.places.counting import Pool, State, Tally, capacity, pool_of

NOBODY: list[tuple[Pool, State]] = []


def test_long_term_spaces_are_not_counted_as_free_for_a_short_stay() -> None:
    found = capacity(
        Tally(free=3, occupied=1), 4, [("permit", "free"), ("reserved", "free")], is_open=True
    )
    assert (found.public, found.permit, found.reserved) == (
        Tally(1, 1, 0),
        Tally(1, 0, 0),
        Tally(1, 0, 0),
    )


def test_two_of_one_free_cannot_be_said() -> None:
    assert capacity(Tally(free=2), 1, NOBODY, is_open=True).public == Tally(1, 0, 0)


def test_unknown_is_never_read_as_free() -> None:
    found = capacity(Tally(free=0, occupied=1), 3, NOBODY, is_open=True)
    assert (found.public, found.availability) == (Tally(0, 1, 2), "unknown")


def test_full_is_said_only_where_every_bay_is_known_to_be_taken() -> None:
    assert capacity(Tally(occupied=3), 3, NOBODY, is_open=True).availability == "full"


def test_closed_is_not_full() -> None:
    found = capacity(Tally(free=1, occupied=2), 3, NOBODY, is_open=False)
    assert (found.public.total, found.closed, found.availability) == (0, 3, "closed")


def test_a_facility_without_public_bays_has_none_rather_than_being_full() -> None:
    assert capacity(Tally(), 0, NOBODY, is_open=True).availability == "none"
    permits = capacity(Tally(occupied=1), 1, [("permit", "occupied")], is_open=True)
    assert permits.availability == "none"


def test_suspended_bays_are_closed_and_not_free() -> None:
    found = capacity(Tally(free=2), 2, [("closed", "free"), ("closed", "free")], is_open=True)
    assert (found.public.free, found.closed, found.availability) == (0, 2, "closed")


def test_a_retired_bay_counts_nowhere() -> None:
    found = capacity(Tally(free=1, occupied=1), 2, [("gone", "occupied")], is_open=True)
    assert (found.public, found.closed) == (Tally(1, 0, 0), 0)


def test_where_a_bay_counts() -> None:
    assert pool_of("public", gone=False, suspended=False, allowed=True) == "public"
    assert pool_of("public", gone=False, suspended=False, allowed=False) == "closed"
    assert pool_of("permit", gone=False, suspended=False, allowed=False) == "permit"
    assert pool_of("permit", gone=False, suspended=True, allowed=True) == "closed"
    assert pool_of("reserved", gone=True, suspended=False, allowed=True) == "gone"


states = st.sampled_from(["free", "occupied", "unknown"])
pools = st.sampled_from(["reserved", "permit", "closed", "gone"])


@given(
    st.integers(0, 50),
    st.integers(0, 50),
    st.integers(0, 50),
    st.integers(0, 100),
    st.lists(st.tuples(pools, states), max_size=40),
    st.booleans(),
)
def test_no_count_is_negative_and_all_bays_are_counted_once(
    free: int,
    occupied: int,
    unknown: int,
    bays: int,
    apart: list[tuple[Pool, State]],
    is_open: bool,
) -> None:
    found = capacity(Tally(free, occupied, unknown), bays, apart, is_open=is_open)
    public = found.public
    assert min(public.free, public.occupied, public.unknown, found.closed) >= 0
    assert public.free <= free
    gone = sum(pool == "gone" for pool, _ in apart)
    counted = public.total + found.reserved.total + found.permit.total + found.closed + gone
    assert counted == max(bays, len(apart))


@given(st.lists(states, max_size=30), st.lists(st.tuples(pools, states), max_size=30))
def test_counts_that_agree_are_given_exactly(
    public: list[State], apart: list[tuple[Pool, State]]
) -> None:
    every = [*public, *(state for _, state in apart)]
    counted = Tally(every.count("free"), every.count("occupied"), every.count("unknown"))
    found = capacity(counted, len(every), apart, is_open=True)
    assert found.public == Tally(
        public.count("free"), public.count("occupied"), public.count("unknown")
    )
