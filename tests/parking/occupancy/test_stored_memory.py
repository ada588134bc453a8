"""What is written to the live store is read back whole, and reads safely without a worker."""

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parking.rules.occupancy.history import BayState
from parking.rules.occupancy.memory import EMPTY, fold, shown
from parking.rules.occupancy.observations import Observation
from parking.rules.occupancy.policy import DEFAULT_POLICY
from parking.rules.occupancy.stored import Place, pack, read_front, unpack

PLACE = Place("f" * 32, 120.1, 30.2)
HOUR_MS = 3_600_000


def seen(at_ms: int, said: int, counter: int = 0, strength: int = 950) -> Observation:
    return Observation(at_ms, "s", counter, "", "d" * 32, 0, said, strength, 0, 0, 0, 26 * HOUR_MS)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.integers(1, 5_000_000),
            st.sampled_from([-1, 0, 1]),
            st.sampled_from([300, 950]),
            st.sampled_from(["aa", "bb"]),
            st.sampled_from([-1, 1]),
        ),
        max_size=12,
    )
)
def test_a_memory_survives_the_live_store(
    drawn: list[tuple[int, int, int, str, int]],
) -> None:
    memory = EMPTY
    observations = [
        Observation(
            at,
            "s" if way > 0 else "",
            number if way > 0 else -1,
            "" if way > 0 else f"m{number}",
            device,
            0,
            said,
            strength,
            2 if number % 3 == 0 else 0,
            max(1, at - 200_000) if number % 3 == 0 else 0,
            700 if number % 3 == 0 else 0,
            26 * HOUR_MS,
        )
        for number, (at, said, strength, device, way) in enumerate(sorted(drawn))
    ]
    for one in observations:
        memory = fold(memory, [one], DEFAULT_POLICY, one.at_ms).memory
    visible = shown(memory, 5_000_000)
    stored = orjson.loads(pack(memory, visible, PLACE))
    assert unpack(stored, DEFAULT_POLICY) == (memory, visible, PLACE)


def test_a_reader_sees_silence_that_no_worker_has_swept() -> None:
    memory = fold(EMPTY, [seen(1_000, 0)], DEFAULT_POLICY, 1_000).memory
    stored = orjson.loads(pack(memory, shown(memory, 1_000), PLACE))
    assert read_front(stored, 26 * HOUR_MS).state == BayState.FREE
    assert read_front(stored, 26 * HOUR_MS + 1_000).state == BayState.UNKNOWN


def test_a_reader_sees_a_state_settle_that_no_worker_has_swept() -> None:
    memory = fold(EMPTY, [seen(1_000, 1)], DEFAULT_POLICY, 1_000).memory
    stored = orjson.loads(pack(memory, shown(memory, 1_000), PLACE))
    assert read_front(stored, 30_999).provisional is True
    assert read_front(stored, 31_000).provisional is False


def test_a_quiet_bay_takes_at_most_340_bytes() -> None:
    memory = EMPTY
    for hour in range(1, 5):
        at_ms = 1_772_000_000_000 + hour * HOUR_MS
        memory = fold(memory, [seen(at_ms, hour % 2, hour)], DEFAULT_POLICY, at_ms).memory
    stored = pack(memory, shown(memory, 1_772_000_000_000 + 5 * HOUR_MS), PLACE)
    assert len(stored) <= 340
