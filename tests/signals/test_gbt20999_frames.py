"""Frames of GB/T 20999-2017, byte by byte.

The first two vectors are published in public code (a client's test comment and its checksum input);
the others were computed by the rules that public sources agree on, not captured.
"""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.errors import Invalid
from signals.rules.controllers.demonstration import crossroads, plan
from signals.rules.controllers.gbt20999 import objects
from signals.rules.controllers.gbt20999.frames import (
    Frame,
    FrameKind,
    Item,
    Splitter,
    crc,
    decode,
    encode,
)
from signals.rules.controllers.layout import ControllerPlan, PlanStage

CENTRE = Frame(
    FrameKind.SET,
    0x13,
    (
        Item(1, 17, 1, 2, 1, b"\x01"),
        Item(2, 17, 1, 3, 1, b"\x01"),
        Item(3, 17, 1, 4, 1, b"\x21"),
    ),
    version=0x0100,
    upper=5,
    controller=0x000C48FC,
)
CENTRE_BYTES = bytes.fromhex(
    "7E 0022 0100 05 000C48FC 01 13 30 03 01 05 11 01 02 01 01"
    " 02 05 11 01 03 01 01 03 05 11 01 04 01 21 E443 7D"
)
VECTORS = {
    "7E 000C 0102 01 00000001 01 01 70 BA59 7D": Frame(FrameKind.HEARTBEAT, 1),
    "7E 000C 0102 01 00000001 01 01 80 495A 7D": Frame(FrameKind.HEARTBEAT_REPLY, 1),
    "7E 0013 0102 01 00000001 01 0A 10 01 01 04 04 01 00 00 BE69 7D": Frame(
        FrameKind.QUERY, 10, (Item(1, 4, 1, 0, 0),)
    ),
    "7E 0014 0102 01 00000001 01 0A 20 01 01 05 0D 02 02 01 21 34F8 7D": Frame(
        FrameKind.QUERY_REPLY, 10, (Item(1, 13, 2, 2, 1, b"\x21"),)
    ),
}
ESCAPED = "7E 0013 0102 01 00000001 01 5C7D 10 01 01 04 0D 02 00 00 BBAA 7D"

items = st.builds(Item, *[st.integers(0, 255)] * 5, st.binary(max_size=40))
frames = st.builds(
    Frame,
    st.sampled_from([FrameKind.QUERY, FrameKind.SET, FrameKind.TRAP]),
    st.integers(0, 255),
    st.lists(items, max_size=5).map(tuple),
    st.integers(0, 0xFFFF),
    st.integers(0, 255),
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, 255),
)


def test_the_checksum_of_the_usual_digits() -> None:
    assert crc(b"123456789") == 0x5BB8
    # The checksum input of a client's own test, its result computed.
    assert crc(bytes.fromhex("0013 0100 05 00000006 01 12 10 01 01 04 0C 02 03 00")) == 0x4BD7


def test_a_published_order_from_the_centre_is_written_byte_by_byte() -> None:
    assert encode(CENTRE, escaped=True) == CENTRE_BYTES
    assert decode(CENTRE_BYTES, escaped=True) == CENTRE


@pytest.mark.parametrize("text", VECTORS)
def test_frames_are_written_and_read_byte_by_byte(text: str) -> None:
    raw, frame = bytes.fromhex(text), VECTORS[text]
    assert encode(frame, escaped=False) == raw
    assert decode(raw, escaped=False) == frame


def test_bytes_that_mark_frames_are_escaped_in_streams_alone() -> None:
    frame = Frame(FrameKind.QUERY, 0x7D, (Item(1, 13, 2, 0, 0),))
    assert encode(frame, escaped=True) == bytes.fromhex(ESCAPED)
    assert encode(frame, escaped=False) == bytes.fromhex(ESCAPED.replace("5C7D", "7D"))
    assert decode(bytes.fromhex(ESCAPED), escaped=True) == frame


@given(frames, st.booleans())
def test_what_is_written_is_read_again(frame: Frame, escaped: bool) -> None:
    assert decode(encode(frame, escaped=escaped), escaped=escaped) == frame


@given(st.lists(frames, max_size=3), st.binary(max_size=12), st.integers(1, 9))
def test_frames_come_whole_out_of_a_stream_in_pieces(
    sent: list[Frame], noise: bytes, size: int
) -> None:
    noise = noise.replace(b"\x7e", b"")
    stream = noise + noise.join(encode(frame, escaped=True) for frame in sent)
    splitter = Splitter()
    found = [
        raw
        for first in range(0, len(stream), size)
        for raw in splitter.feed(stream[first : first + size])
    ]
    assert [decode(raw, escaped=True) for raw in found] == sent
    assert splitter.dropped_bytes == len(noise) * max(len(sent), 1)


@given(frames, st.data(), st.booleans())
def test_a_frame_with_one_bit_wrong_is_refused(
    frame: Frame,
    data: st.DataObject,
    escaped: bool,
) -> None:
    raw = bytearray(encode(frame, escaped=escaped))
    bit = data.draw(st.integers(0, 8 * len(raw) - 1))
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Invalid):
        decode(bytes(raw), escaped=escaped)


@given(st.binary(max_size=80), st.booleans(), st.booleans())
def test_no_bytes_break_the_reader(
    raw: bytes,
    escaped: bool,
    lenient: bool,
) -> None:
    for bytes_ in (raw, b"\x7e" + raw + b"\x7d"):
        with suppress(Invalid):
            decode(bytes_, escaped=escaped, lenient=lenient)


def test_a_frame_cut_off_does_not_swallow_the_next() -> None:
    splitter = Splitter()
    assert splitter.feed(CENTRE_BYTES[:20] + CENTRE_BYTES) == [CENTRE_BYTES]
    assert splitter.dropped_bytes == 20


def test_a_firmware_with_an_odd_length_is_read_where_that_is_asked_for() -> None:
    body = bytes.fromhex("0102 01 00000001 01 0A 20 01 01 05 0D 02 02 01 21")
    told = len(body) + 2 + 2
    raw = (
        b"\x7e" + told.to_bytes(2, "big") + body + crc(b"\0\0" + body).to_bytes(2, "big") + b"\x7d"
    )
    with pytest.raises(Invalid, match=r"frame\.length: says 22 bytes and has 20"):
        decode(raw, escaped=False)
    assert decode(raw, escaped=False, lenient=True).items == (Item(1, 13, 2, 2, 1, b"\x21"),)


def test_a_plan_fills_its_row_of_the_table() -> None:
    found = objects.plan_values(ControllerPlan(9, 90, 12, (PlanStage(1, 50), PlanStage(3, 40))), 1)
    assert found == {
        1: b"\x09",
        2: b"\x01",
        3: bytes.fromhex("0000005A"),
        4: b"\0",
        5: bytes.fromhex("000C"),
        6: bytes.fromhex("0103") + bytes(14),
        7: bytes.fromhex("00320028") + bytes(28),
        8: bytes.fromhex("1010") + bytes(14),
    }


def test_plans_phases_and_stages_survive_their_tables() -> None:
    layout = crossroads()
    meant = plan(5, 35, 15, 30, 15, offset_s=7)
    assert objects.plan_from(objects.plan_values(meant, 1)) == meant
    assert (
        objects.plan_from({1: b"\1", 3: bytes(4), 5: bytes(2), 6: bytes(16), 7: bytes(32)}) is None
    )
    for stage in layout.stages:
        assert objects.stage_from(objects.stage_values(stage)) == stage
    walk = layout.phases[4]
    read = objects.phase_from(objects.phase_values(walk), 3)
    assert (read.kind, read.losing, read.least_green_s) == (walk.kind, walk.losing, 5)
    assert objects.mask([1, 64]) == bytes.fromhex("8000000000000001")


def test_a_plan_with_a_gap_in_its_chain_is_no_plan() -> None:
    row = objects.plan_values(plan(5, 35, 15, 30, 15), 1)
    with pytest.raises(Invalid, match="has a gap"):
        objects.plan_from({**row, 6: bytes.fromhex("01000304") + bytes(12)})
