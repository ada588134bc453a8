import multiprocessing
import threading
import time
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.errors import Invalid
from city.identifiers import parse_district_code, parse_id, uuid7


def test_an_identifier_is_a_version_7_uuid_of_the_present_millisecond() -> None:
    before_ms = time.time_ns() // 1_000_000
    made = uuid7()
    after_ms = time.time_ns() // 1_000_000

    assert made.version == 7
    assert made.variant == RFC_4122
    # Identifiers made in one burst may run ahead of the clock by a carry of their random part.
    assert before_ms <= made.int >> 80 <= after_ms + 1


def test_identifiers_only_grow() -> None:
    made = [uuid7() for _ in range(20_000)]

    assert made == sorted(set(made))


def test_identifiers_grow_even_when_the_wall_clock_steps_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = uuid7()
    monkeypatch.setattr(time, "time_ns", lambda: 1_000_000_000_000_000_000)

    assert uuid7() > first


def test_threads_never_get_the_same_identifier() -> None:
    made: list[UUID] = []

    def make() -> None:
        mine = [uuid7() for _ in range(2_000)]
        assert mine == sorted(mine)
        made.extend(mine)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(made)) == 8_000


def _made_in_a_child(count: int) -> list[UUID]:
    return [uuid7() for _ in range(count)]


def test_forked_processes_never_get_the_same_identifier() -> None:
    uuid7()
    with multiprocessing.get_context("fork").Pool(4) as pool:
        batches = pool.map(_made_in_a_child, [500] * 8, chunksize=1)

    assert len({made for batch in batches for made in batch}) == 4_000


@given(st.uuids())
def test_an_identifier_is_read_back_from_its_text(value: UUID) -> None:
    assert parse_id(str(value), "id") == value
    assert parse_id(str(value).upper(), "id") == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "{018f3c1e-9c1a-7000-8000-000000000000}",
        "urn:uuid:018f3c1e-9c1a-7000-8000-000000000000",
        "018f3c1e9c1a70008000000000000000",
        "018f3c1e-9c1a-7000-8000-00000000000g",
        "018f3c1e-9c1a-7000-8000-000000000000\n",
        "٠18f3c1e-9c1a-7000-8000-000000000000",
    ],
)
def test_any_other_form_of_an_identifier_is_refused_by_its_field(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_id(text, "facility_id")

    assert caught.value.field == "facility_id"


@given(st.text())
def test_reading_an_identifier_gives_one_or_refuses(text: str) -> None:
    try:
        read = str(parse_id(text, "id"))
    except Invalid:
        return
    assert read == text.lower()


@pytest.mark.parametrize("text", ["0153", "ab", "a1b2c3d4e5f6"])
def test_a_district_code_is_two_to_twelve_digits_and_small_letters(text: str) -> None:
    assert parse_district_code(text) == text


@pytest.mark.parametrize("text", ["", "a", "A1", "a1b2c3d4e5f6g", "0 1", "0153\n", "{d}", "路北"])
def test_any_other_district_code_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        parse_district_code(text)
