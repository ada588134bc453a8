"""``watch``: the vehicles that a video or a camera shows, one line a visit."""

import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

import cv2
from pydantic import JsonValue, TypeAdapter, ValidationError

from city.command_line import CommandLine
from city.errors import Invalid
from city.time import WallClock
from lpr.adapters.evidence import keep_evidence
from lpr.adapters.videos import FileFrames, StreamFrames, is_stream, shown
from lpr.commands.told_city import add_options, check_options, told_city
from lpr.rules.sightings import Point, Region, TrackRules
from lpr.rules.tracking import Visit
from lpr.vision.models import detector, recogniser
from lpr.vision.reading import ReadPlate, read_scene
from lpr.vision.strips import Picture
from lpr.vision.watching import Watch

SUMMARY: Final = "follow the vehicles in a video or a camera's stream: one line a visit"

_EXAMPLE: Final = (
    "python -m lpr watch lane.mp4\n"
    "  python -m lpr watch rtsp://10.0.0.7/stream --regions lanes.json --evidence kept/"
)
_MOST_FPS: Final = 60.0
_MOST_REGIONS: Final = 64
_MOST_CORNERS: Final = 64
_REGIONS: Final = TypeAdapter(dict[str, tuple[Point, ...]])


def run(arguments: Sequence[str]) -> int:
    """Print a line a visit; return 0, or 1 where the source broke off or never gave a frame."""
    line = CommandLine("lpr", "watch", SUMMARY, _EXAMPLE)
    line.add_argument("source", metavar="SOURCE", help="a video file, or rtsp:// or http://")
    line.add_argument("--fps", type=float, default=10.0, help="frames a second at most (10)")
    line.add_argument(
        "--regions",
        metavar="FILE",
        help='lanes or bays: {"NAME": [[x, y], ...]} as shares of width and height',
    )
    line.add_argument("--lost-after", type=float, default=1.5, metavar="S", help="unseen: gone")
    line.add_argument("--evidence", metavar="FOLDER", help="gets a picture of each visit")
    line.add_argument(
        "--give-up-after", type=float, metavar="S", help="end a stream that is silent so long"
    )
    add_options(line)
    line.add_argument("--threads", type=int, default=1, help="of OpenCV (default 1)")
    given = line.parse_args(arguments)
    _check(given)
    regions = () if given.regions is None else _regions(line.read_json(given.regions))
    rules = TrackRules(
        lost_after_s=given.lost_after, parked_lost_after_s=max(60.0, given.lost_after)
    )
    cv2.setNumThreads(given.threads)
    # What is wrong with a source is told once, in our own words.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    finder, reader = detector(), recogniser()

    def read(picture: Picture) -> list[ReadPlate]:
        return read_scene(picture, finder, reader)

    frames: FileFrames | StreamFrames
    if is_stream(given.source):
        frames = StreamFrames(given.source, given.give_up_after)
    else:
        frames = FileFrames(Path(given.source))
    city = told_city(line.prog, given, reader.card.version, regions, WallClock())
    watch = Watch(
        read,
        reader.card.bands,
        rules,
        regions=regions,
        least_gap_s=0.999 / given.fps,
        arrived=city.arrived,
        once_parked=city.once_parked,
        changed=city.changed,
    )
    began_at = WallClock().now()
    status = 0
    try:
        for visit, moments in watch.visits(frames):
            city.over(visit, moments)
            told = {"source": shown(given.source)} | _told(visit, reader.card.version)
            if isinstance(frames, StreamFrames):
                told["first_at"] = (began_at + timedelta(seconds=visit.first_s)).isoformat()
                told["last_at"] = (began_at + timedelta(seconds=visit.last_s)).isoformat()
            if given.evidence is not None and moments.best is not None:
                bay = next((each for each in regions if each.name == visit.region), None)
                told["evidence"] = keep_evidence(Path(given.evidence), visit, moments, finder, bay)
            line.answer(told)
            sys.stdout.flush()
    except KeyboardInterrupt:
        pass
    except Invalid as error:
        sys.stderr.write(f"{line.prog}: {error}\n")
        status = 1
    city.close()
    sys.stderr.write(f"{line.prog}: {_health(frames, watch)}\n")
    return status if frames.health.frames else 1


def _check(given: Namespace) -> None:
    check_options(given)
    if not 0 < given.fps <= _MOST_FPS:
        raise Invalid(f"must be above 0 and at most {_MOST_FPS:g}", field="--fps")
    if given.threads < 1:
        raise Invalid("must be at least 1", field="--threads")
    if given.give_up_after is not None and not given.give_up_after > 0:
        raise Invalid("must be above 0", field="--give-up-after")


def _regions(told: JsonValue) -> tuple[Region, ...]:
    try:
        corners = _REGIONS.validate_python(told)
    except ValidationError:
        raise Invalid('must be {"NAME": [[x, y], ...]}', field="--regions") from None
    if not 1 <= len(corners) <= _MOST_REGIONS:
        raise Invalid(f"must name 1 to {_MOST_REGIONS} regions", field="--regions")
    if any(len(points) > _MOST_CORNERS for points in corners.values()):
        raise Invalid(f"must have at most {_MOST_CORNERS} corners each", field="--regions")
    return tuple(Region(name, points) for name, points in corners.items())


def _told(visit: Visit, model: str) -> dict[str, JsonValue]:
    corners: list[JsonValue] = [[round(x, 1), round(y, 1)] for x, y in visit.best.corners]
    others: list[JsonValue] = [{"text": text, "reads": reads} for text, reads in visit.others]
    return {
        "visit": visit.number,
        "text": visit.read.text,
        "kind": visit.read.kind.value,
        "confidence": round(visit.read.confidence, 4),
        "band": visit.band.value,
        "reads": visit.reads,
        "agreeing": visit.agreeing,
        "share": round(visit.share, 4),
        "others": others,
        "direction": visit.direction.value,
        "region": visit.region,
        "first_s": round(visit.first_s, 3),
        "last_s": round(visit.last_s, 3),
        "stood_s": round(visit.stood_s, 3),
        "left": visit.left,
        "best_s": round(visit.best.at_s, 3),
        "corners": corners,
        "confidences": [round(value, 4) for value in visit.read.confidences],
        "model": model,
    }


def _health(frames: FileFrames | StreamFrames, watch: Watch) -> str:
    health, looks = frames.health, watch.looks
    each_ms = 1000 * looks.took_s / looks.read if looks.read else 0.0
    return (
        f"{health.frames} frames, {looks.read} read ({each_ms:.1f} ms each), "
        f"{looks.unmoved} unmoved, {looks.between} between, {health.dropped} dropped, "
        f"{looks.blind} blind; opened {health.connects} times, {health.failures} failures"
    )
