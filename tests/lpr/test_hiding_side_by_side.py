"""Frames are prepared by jobs that run side by side."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from city.vehicles import PlateKind, parse_plate
from lpr.vision.evidence import prepared
from web.demo.lane_frames import drawn


def test_frames_prepared_side_by_side_are_those_prepared_one_after_the_other() -> None:
    frames = [drawn(parse_plate(f"皖R1234{n}", PlateKind.BLUE7), n)[0] for n in range(6)]
    alone = [prepared(each, None, 12_000_000, 85) for each in frames]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda each: prepared(each, None, 12_000_000, 85), frames))
    assert together == alone
    assert all(crop is not None for _, crop, _ in alone)
