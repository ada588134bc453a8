"""Logs: one JSON object a line, no plate, no secret."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from city.plate_rules import PROVINCES
from city.works.logs import configure_logs, masked, masked_text


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logs("DEBUG", process="test", stream=stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def entries(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize(
    "plate",
    [
        "京A12345",
        "京A·1B345",
        "沪AD12345",
        "粤B12345D",
        "粤Z1234港",
        "粤Z·F123澳",
        "京A1234警",
        "川A1234学",
        "鲁B12A4挂",
        "京X2345应急",
        "WJ京12345",
        "WJ京·1234X",
        "使014578",
        "224578使",
        "沪A0023领",
        "VA·12345",
        "KA12345",
        "民航A1234",
        "京a12345",
        "京A 12345",
        "%E4%BA%ACA12345",
    ],
)
def test_a_plate_of_any_kind_is_masked_wherever_it_stands(plate: str) -> None:
    for text in (plate, f"vehicle {plate} left", f"(plate='{plate}')", f'{{"p":"{plate}"}}'):
        assert plate not in masked_text(text)
        assert "345" not in masked_text(text)
        assert "***" in masked_text(text)


@given(
    st.sampled_from(PROVINCES),
    st.sampled_from("ABCDEFGHJKLMNPQRSTUVWXYZ"),
    st.text("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ", min_size=5, max_size=6),
)
def test_no_ordinary_plate_passes(province: str, letter: str, serial: str) -> None:
    assert serial not in masked_text(f"a {province}{letter}{serial} b")


@pytest.mark.parametrize(
    "text",
    [
        "bay 019c2a3e-7b1d-7c44-8e21-0123456789ab is free",
        "stream {d:0153}:uplinks:0 at 1700000000000-0",
        "京东 delivered 3 parcels",
        "http://127.0.0.1:8000/readyz answered 200",
        "2026-03-02T01:00:00Z",
    ],
)
def test_what_is_no_plate_stays(text: str) -> None:
    assert masked_text(text) == text


def test_addresses_lose_their_passwords_and_tokens_go() -> None:
    assert (
        masked_text("postgresql://city:hunter2@db/greenbay") == "postgresql://city:***@db/greenbay"
    )
    assert masked_text("Authorization: Bearer abcdefgh12345") == "Authorization: Bearer ***"


def test_values_under_secret_names_are_left_out_at_any_depth() -> None:
    assert masked({"user": {"password": "x", "name": "ann"}, "tokens": ["a"], "token": None}) == {
        "user": {"password": "[redacted]", "name": "ann"},
        "tokens": "[redacted]",
        "token": None,
    }


def test_an_entry_is_one_line_of_json_with_its_process(written: io.StringIO) -> None:
    structlog.get_logger("city.test").info("vehicle 京A12345 left", bays=[{"plate": "京A12345"}])
    (entry,) = entries(written)
    assert entry["event"] == "vehicle 京A*** left"
    assert entry["bays"] == [{"plate": "[redacted]"}]
    assert entry["process"] == "test"
    assert entry["level"] == "info"
    assert str(entry["timestamp"]).endswith("Z")


def test_libraries_log_the_same_way(written: io.StringIO) -> None:
    logging.getLogger("some.library").warning("lost %s", "沪B·12345")
    (entry,) = entries(written)
    assert entry["event"] == "lost 沪B***"
    assert entry["logger"] == "some.library"


def test_a_traceback_is_masked_too(written: io.StringIO) -> None:
    try:
        int("京A12345")
    except ValueError:
        logging.getLogger("x").exception("failed")
    (entry,) = entries(written)
    assert "ValueError: invalid literal for int() with base 10: '京A***'" in str(entry["exception"])
    assert "京A12345" not in written.getvalue()


@given(st.text("abcdefghijklmnopqrstuvwxyz0123456789_.,-"))
def test_what_needs_no_look_would_pass_one(text: str) -> None:
    assert masked_text(text) == text
    assert masked_text(f"{text} ") == f"{text} "
