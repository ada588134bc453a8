"""Videos and streams become visits: drawn cars, cut-off files, cameras that break off."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
import pytest

from city.errors import Invalid
from city.plate_rules import PlateKind
from city.time import FixedClock
from lpr.adapters.bay_push import BayPush
from lpr.adapters.bay_votes import BayVotes
from lpr.adapters.evidence import keep_evidence
from lpr.adapters.stop_line import StopLine
from lpr.adapters.videos import FileFrames, StreamFrames, shown
from lpr.commands import watch
from lpr.rules.bay_states import BayChange, BayState
from lpr.rules.corners import Found
from lpr.rules.reads import DEFAULT_BANDS, Band, PlateRead
from lpr.rules.sightings import Region, TrackRules
from lpr.synthesis.faces import draw_face
from lpr.synthesis.videos import Passing, Place, draw_video
from lpr.vision.hiding import hide_others
from lpr.vision.outlines import outline_of, with_outline
from lpr.vision.reading import ReadPlate
from lpr.vision.watching import Frame, Watch
from tests.lpr.rtsp_camera import RtspCamera
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lpr.vision.strips import Picture

SIZE: Final = (480, 270)
FPS: Final = 8.0


@pytest.fixture(autouse=True)
def _without_the_real_face(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fonts alone, so that the tests see the same plates everywhere."""
    monkeypatch.delenv("GREENBAY_DATA", raising=False)


def lane(stands_s: float = 0.0) -> list[Picture]:
    """Draw one car that comes near, stands and backs off."""
    random = np.random.default_rng(5)
    near, far = Place(0.5, 0.7, 0.3), Place(0.5, 0.2, 0.1)
    car = Passing(draw_face(PlateKind.BLUE7, random), 0.5, far, near, far, 1.5, stands_s)
    frames = draw_video([car], SIZE, seconds=4.5 + stands_s, fps=FPS, random=random)
    return list(frames)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the car's video."""
    path = tmp_path_factory.mktemp("video") / "lane.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FPS, SIZE)
    for picture in lane(stands_s=3.0):
        writer.write(picture)
    writer.release()
    return path


def the_cars_plate(picture: Picture) -> list[ReadPlate]:
    """Find the drawn car by its blue plate: a reader whose reads the test decides."""
    blue, green, red = (picture[..., n].astype(int) for n in range(3))
    ys, xs = np.nonzero((blue - red > 60) & (blue - green > 30))
    if len(xs) < 60:
        return []
    box = np.array([[xs.min(), ys.min()], [xs.max(), ys.min()], [xs.max(), ys.max()]])
    corners = np.array([*box, [xs.min(), ys.max()]], np.float32)
    read = PlateRead("皖B12345", PlateKind.BLUE7, (0.99,) * 7)
    return [ReadPlate(read, corners, 0.9)]


def watched(frames: list[Frame], regions: tuple[Region, ...] = ()) -> tuple[Watch, list[Any]]:
    watch = Watch(the_cars_plate, DEFAULT_BANDS, TrackRules(), regions=regions)
    return watch, [visit for visit, _ in watch.visits(frames)]


def as_frames(pictures: list[Picture]) -> list[Frame]:
    return [Frame(n, n / FPS, picture) for n, picture in enumerate(pictures)]


def test_a_car_that_stands_is_one_visit_and_seldom_read() -> None:
    watch, visits = watched(as_frames(lane(stands_s=3.0)))
    (visit,) = visits
    assert visit.read.text == "皖B12345"
    assert 3.0 <= visit.stood_s <= 4.5
    assert watch.looks.unmoved >= 10
    assert watch.looks.read + watch.looks.unmoved == 60


def test_what_is_outside_every_region_is_left_out() -> None:
    corner = Region("corner", ((0.0, 0.0), (0.1, 0.0), (0.1, 0.1), (0.0, 0.1)))
    middle = Region("middle", ((0.2, 0.0), (0.8, 0.0), (0.8, 1.0), (0.2, 1.0)))
    assert watched(as_frames(lane()), (corner,))[1] == []
    (visit,) = watched(as_frames(lane()), (corner, middle))[1]
    assert visit.region == "middle"


BAY: Final = Region("A1", ((0.2, 0.3), (0.8, 0.3), (0.9, 1.0), (0.1, 1.0)))


class Door(ThreadingHTTPServer):
    """Keeps what is sent to it, and answers as it is told to."""

    status = 202

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.told: list[Any] = []
        super().__init__(("127.0.0.1", 0), _Sent)

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Sent(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        door = self.server
        assert isinstance(door, Door)
        assert self.headers["Authorization"] == "Bearer gbi_x"
        door.paths.append(self.path)
        door.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        answer = b'{"accepted": [], "rejected": [], "ignored": []}'
        self.send_response(door.status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def open_door(folder: Path) -> Iterator[Door]:
    (folder / "token").write_text("gbi_x", "ascii")
    with Door() as door:
        thread = threading.Thread(target=door.serve_forever)
        thread.start()
        yield door
        door.shutdown()
        thread.join()


class NoFinds:
    """A detector that finds no other plate."""

    def rough(self, picture: Picture, least_score: float | None = None) -> list[Found]:
        del picture, least_score
        return []


def at_the_kerb(stands_s: float, ends_s: float | None = None) -> tuple[Any, Any]:
    """Watch a bay in which a car stands; the film may end before it leaves."""
    watch = Watch(the_cars_plate, DEFAULT_BANDS, TrackRules(), regions=(BAY,))
    frames = as_frames(lane(stands_s))
    ((visit, moments),) = watch.visits(f for f in frames if ends_s is None or f.at_s < ends_s)
    return visit, moments


def test_a_parked_cars_entering_standing_and_leaving_are_kept_with_the_bays_lines(
    tmp_path: Path,
) -> None:
    visit, moments = at_the_kerb(7.0)
    assert (visit.region, visit.left) == ("A1", True)
    assert moments.entering.at_s < 2.0
    assert 6.5 < moments.parked.at_s < 8.0
    assert 9.0 < moments.leaving.at_s < 10.5
    kept = keep_evidence(tmp_path, visit, moments, NoFinds(), BAY)  # type: ignore[arg-type]  # all that is asked of a detector
    for part in ("entering", "parked", "leaving"):
        content = (tmp_path / str(kept[part])).read_bytes()
        assert hashlib.sha256(content).hexdigest() == kept[f"{part}_sha256"]
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
        x, y = round(0.5 * (SIZE[0] - 1)), round(0.3 * (SIZE[1] - 1))
        assert picture is not None
        blue, _, red = picture[y, x].tolist()
        assert red > blue + 60, "the bay's line is yellow"


def test_what_nobody_saw_is_no_moment() -> None:
    visit, moments = at_the_kerb(9.0, ends_s=8.5)
    assert (visit.left, moments.leaving) == (False, None)
    assert moments.parked is not None
    visit, moments = at_the_kerb(0.0)
    assert (visit.left, moments.parked, moments.leaving) == (None, None, None)
    assert moments.entering is not None


def test_a_cars_read_is_told_to_its_bay_once_it_stands() -> None:
    for stands_s, times in ((7.0, 1), (0.0, 0)):
        told: list[tuple[str | None, bool | None]] = []
        watch = Watch(
            the_cars_plate,
            DEFAULT_BANDS,
            TrackRules(),
            regions=(BAY,),
            arrived=lambda visit, _, told=told: told.append((visit.region, visit.left)),  # type: ignore[misc]  # a lambda's default
            once_parked=True,
        )
        assert len(list(watch.visits(as_frames(lane(stands_s))))) == 1
        assert told == [("A1", False)] * times


def test_a_bay_is_taken_from_where_it_stood_free_when_it_was_seen_leaving_else_unknown() -> None:
    for ends_s, last in ((99.0, ("free", 9.5)), (8.5, ("cannot-tell", 8.4))):
        told: list[BayChange] = []
        watch = Watch(
            the_cars_plate,
            DEFAULT_BANDS,
            TrackRules(),
            regions=(BAY,),
            changed=lambda _, changes, told=told: told.extend(changes),  # type: ignore[misc]  # a lambda's default
        )
        frames = [each for each in as_frames(lane(7.0)) if each.at_s < ends_s]
        # Nobody in sight for longer than a parked car is waited for.
        for frame in [*frames, Frame(200, 80.0, None)]:
            watch.take(frame)
        assert [(each.bay, each.state.value) for each in told] == [
            ("A1", "occupied"),
            ("A1", last[0]),
        ]
        assert told[0].at_s < 2.5
        assert abs(told[1].at_s - last[1]) < 1.0


def test_what_cannot_be_sent_waits_in_order_and_what_holds_is_said_again(tmp_path: Path) -> None:
    clock, failures = FixedClock(datetime(2026, 3, 2, tzinfo=UTC)), list[str]()
    with open_door(tmp_path) as door:
        address = f"http://127.0.0.1:{door.port}/api/v1/bays"
        votes = BayVotes(address, tmp_path / "token", "cam", clock, failures.append)
        door.status = 503
        votes.hear(6.0, [BayChange("a1", BayState.OCCUPIED, 1.0)])
        votes.hear(9.0, [BayChange("a2", BayState.OCCUPIED, 4.0)])
        door.status = 202
        votes.hear(15.0, [])
        assert len(door.told) == 1, "not before ten seconds are over"
        votes.hear(20.0, [BayChange("a1", BayState.FREE, 19.0)])
        votes.hear(901.0, [])
    assert failures == ["the city refused what was sent: 503"]
    words = [
        [
            (
                each["end_device_ids"]["device_id"],
                each["uplink_message"]["f_port"],
                each["uplink_message"]["f_cnt"],
                each["uplink_message"]["frm_payload"],
            )
            for each in told
        ]
        for told in door.told
    ]
    assert words == [
        [("a1", 1, 1, "AQ==")],
        [("a1", 1, 1, "AQ=="), ("a2", 1, 1, "AQ=="), ("a1", 1, 2, "AA==")],
        [("a1", 2, 3, "AA=="), ("a2", 2, 2, "AQ==")],
    ]
    assert door.told[0][0]["received_at"] == "2026-03-01T23:59:55Z"
    assert set(door.paths) == {"/api/v1/uplinks/ttn"}


def test_votes_that_are_refused_are_not_sent_without_end(tmp_path: Path) -> None:
    clock, failures = FixedClock(datetime(2026, 3, 2, tzinfo=UTC)), list[str]()
    with open_door(tmp_path) as door:
        address = f"http://127.0.0.1:{door.port}/api/v1/bays"
        votes = BayVotes(address, tmp_path / "token", "cam", clock, failures.append)
        door.status = 403
        for at_s in range(6, 100):
            votes.hear(float(at_s), [BayChange("a1", BayState.OCCUPIED, 6.0)] * (at_s == 6))
        assert (len(door.told), failures) == (1, ["the city refused what was sent: 403"])
        door.status = 202
        votes.hear(901.0, [])
    assert door.told[1][0]["uplink_message"]["f_port"] == 2


def test_a_parked_cars_read_and_frames_wait_for_the_line_and_what_is_refused_does_not(
    tmp_path: Path,
) -> None:
    visit, moments = at_the_kerb(7.0)
    clock, failures = FixedClock(datetime(2026, 3, 2, tzinfo=UTC)), list[str]()
    with open_door(tmp_path) as door:
        address = f"http://127.0.0.1:{door.port}/api/v1/bays"
        push = BayPush(address, tmp_path / "token", (BAY,), clock, failures.append)
        push.over(replace(visit, number=7), moments)
        assert door.told == [], "its read was never sure"
        door.status = 503
        push.send(visit, None)
        push.hear(visit.last_s + 2)
        push.over(visit, moments)
        door.status = 404
        push.hear(visit.last_s + 20)
        door.status = 202
        push.hear(visit.last_s + 40)
    assert door.paths[-4:] == ["/api/v1/bays/A1/reads", *["/api/v1/bays/A1/frames"] * 3]
    assert sum("404" in each for each in failures) == 4
    read, *frames = door.told[-4:]
    assert [each["moment"] for each in frames] == ["entering", "parked", "leaving"]
    assert {each["event_id"] for each in frames} == {read["event_id"]}
    assert frames[2]["at"] == "2026-03-01T23:59:58Z"
    assert len(frames[0]["outline"]) == len(BAY.corners)


def test_who_waited_at_a_stop_line_passes_as_it_drives_off(tmp_path: Path) -> None:
    visit, _ = at_the_kerb(7.0)
    waited = replace(visit, region="3")
    backed = replace(at_the_kerb(0.0)[0], region="3")
    clock, failures = FixedClock(datetime(2026, 3, 2, tzinfo=UTC)), list[str]()
    lanes = (Region("3", BAY.corners),)
    with open_door(tmp_path) as door:
        address = f"http://127.0.0.1:{door.port}/api/v1/signal-passes"
        line = StopLine(address, tmp_path / "token", lanes, clock, failures.append)
        door.status = 503
        line.hear(visit.last_s + 1.5)
        for each in (waited, backed, replace(waited, band=Band.REVIEW)):
            line.passed(each)
        line.hear(visit.last_s + 2)
        door.status = 202
        line.hear(visit.last_s + 5)
        assert len(door.told) == 1, "not before ten seconds are over"
        line.close()
        line.close()
        with pytest.raises(Invalid, match="named by lanes"):
            StopLine(address, tmp_path / "token", (BAY,), clock, failures.append)
    assert failures == ["the signals' door refused what was sent: 503"]
    assert door.told[1:] == [{"rows": [["2026-03-01T23:59:58.500000Z", 3, "皖B12345"]]}]


def test_lines_are_drawn_where_the_bay_is_and_nowhere_else() -> None:
    dark = np.zeros((100, 200, 3), np.uint8)
    lined = with_outline(dark, outline_of(Region("b", ((0, 0), (0.5, 0), (0.5, 1))), dark))
    assert lined[:, 110:].max() == 0
    assert lined[50, 99].tolist() == [0, 230, 255]


def test_a_stream_that_falls_silent_ends_the_visit() -> None:
    frames = as_frames(lane())[:16]
    watch = Watch(the_cars_plate, DEFAULT_BANDS, TrackRules())
    assert [visit for frame in frames for visit in watch.take(frame)] == []
    assert watch.take(Frame(16, 2.5, None)) == ()
    (visit,) = watch.take(Frame(16, 9.0, None))
    assert visit.last_s < 2.0


def test_the_command_reads_a_drawn_video_and_keeps_evidence(
    video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert watch.run([str(video), "--evidence", str(tmp_path / "kept")]) == 0
    told = capsys.readouterr()
    assert "60 frames" in told.err
    rows = [json.loads(line) for line in told.out.splitlines()]
    assert [row["kind"] for row in rows] == ["blue7"]
    assert 2.5 <= rows[0]["stood_s"] <= 4.5
    for row in rows:
        content = (tmp_path / "kept" / row["evidence"]["frame"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == row["evidence"]["frame_sha256"]


def test_other_plates_on_a_picture_cannot_be_read_any_more() -> None:
    random = np.random.default_rng(8)
    picture = np.full((200, 600, 3), 90, np.uint8)
    for left in (40, 340):
        face = cv2.resize(draw_face(PlateKind.BLUE7, random).picture, (220, 70))
        picture[60:130, left : left + 220] = face
    boxes = [
        np.array([[x, 60], [x + 220, 60], [x + 220, 130], [x, 130]], np.float32) for x in (40, 340)
    ]

    class Finder:
        def rough(self, picture: Picture, least_score: float | None = None) -> list[Found]:
            del picture, least_score
            return [Found(box, 1, 0.9) for box in boxes]

    hidden = hide_others(picture, boxes[0], Finder())  # type: ignore[arg-type]  # all that is asked of a detector
    assert np.array_equal(hidden[60:130, 40:260], picture[60:130, 40:260])
    strokes = [
        np.abs(np.diff(shown[70:120, 345:555].astype(int), axis=1)).sum()
        for shown in (picture, hidden)
    ]
    assert strokes[1] < strokes[0] / 8


def test_a_cut_off_video_gives_what_it_has(video: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.avi"
    cut.write_bytes(video.read_bytes()[: video.stat().st_size // 2])
    frames = list(FileFrames(cut))
    assert 10 <= len(frames) < 60
    assert [frame.at_s for frame in frames] == sorted({frame.at_s for frame in frames})


@pytest.mark.parametrize("content", [b"", b"RIFF\x00\x00", b"\x89PNG not", bytes(range(256)) * 40])
def test_what_is_no_video_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "lane.mp4"
    path.write_bytes(content)
    with pytest.raises(Invalid, match="no video"):
        FileFrames(path)


def test_what_is_no_video_is_one_line_on_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "lane.mp4"
    path.write_bytes(b"no video at all")
    done = subprocess.run(
        [sys.executable, "-m", "lpr", "watch", str(path)],
        capture_output=True,
        check=False,
        timeout=60,
        text=True,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no file"):
        watch.run([str(tmp_path / "none.mp4")])


@pytest.mark.parametrize("regions", ["[]", "{}", '{"a": 1}', '{"a": [[0, 0], [1, 1]]}'])
def test_regions_that_are_none_are_refused(video: Path, tmp_path: Path, regions: str) -> None:
    path = tmp_path / "regions.json"
    path.write_text(regions, encoding="utf-8")
    with pytest.raises(Invalid):
        watch.run([str(video), "--regions", str(path)])


def test_a_password_in_an_address_is_never_shown() -> None:
    assert shown("rtsp://admin:secret@10.0.0.7:554/live?token=x") == "rtsp://10.0.0.7:554/live"


class Camera(ThreadingHTTPServer):
    """Serves pictures as MJPEG; each connection breaks off after some of them."""

    daemon_threads = True

    def __init__(self, pictures: list[Picture], break_after: int) -> None:
        super().__init__(("127.0.0.1", 0), _Lens)
        self.coded = [cv2.imencode(".jpg", each)[1].tobytes() for each in pictures]
        self.break_after = break_after
        self.connections = 0


class _Lens(BaseHTTPRequestHandler):
    server: Camera

    def do_GET(self) -> None:
        self.server.connections += 1
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        try:
            for n in range(self.server.break_after):
                coded = self.server.coded[n % len(self.server.coded)]
                head = (
                    f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(coded)}\r\n\r\n"
                )
                self.wfile.write(head.encode() + coded + b"\r\n")
                time.sleep(0.01)
        except OSError:
            return

    def log_message(self, *words: object) -> None:
        """Say nothing."""


@pytest.fixture
def camera() -> Iterator[Camera]:
    """Run a camera that breaks off after thirty pictures."""
    server = Camera(lane(), break_after=30)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_camera_that_breaks_off_is_opened_again_and_never_fallen_behind(camera: Camera) -> None:
    frames = StreamFrames(f"http://127.0.0.1:{camera.server_port}/live.mjpg")
    seen = []
    for frame in frames:
        if frame.picture is not None:
            seen.append(frame.number)
            # A slow reader: meanwhile the camera has shown others.
            assert eventually(lambda: frames.health.dropped > 0, 60)
        if frames.health.connects >= 2 and len(seen) >= 4:
            break
    assert seen == sorted(set(seen))
    assert frames.health.dropped > 0
    assert camera.connections >= 2


def test_a_camera_that_is_not_there_is_given_up(capsys: pytest.CaptureFixture[str]) -> None:
    assert watch.run(["http://127.0.0.1:9/none.mjpg", "--give-up-after", "0.2"]) == 1
    assert "0 frames" in capsys.readouterr().err


@pytest.fixture
def rtsp() -> Iterator[Callable[..., RtspCamera]]:
    """Start cameras that speak RTSP and end them."""
    with ExitStack() as ends:

        def start(pictures: list[Picture], **given: Any) -> RtspCamera:
            whole = [each[: each.shape[0] // 8 * 8] for each in pictures]
            server = ends.enter_context(RtspCamera(whole, fps=FPS, **given))
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            ends.callback(thread.join)
            ends.callback(server.shutdown)
            return server

        yield start


def test_a_visit_is_seen_over_rtsp(rtsp: Callable[..., RtspCamera]) -> None:
    camera = rtsp(lane(), break_after=10_000)
    watch = Watch(the_cars_plate, DEFAULT_BANDS, TrackRules())
    visit, _ = next(watch.visits(StreamFrames(camera.address())))
    assert visit.read.text == "皖B12345"
    assert visit.agreeing >= 2


def test_an_rtsp_camera_that_breaks_off_is_opened_again(rtsp: Callable[..., RtspCamera]) -> None:
    camera = rtsp(lane(), break_after=5)
    frames = StreamFrames(camera.address())
    sides = {
        frame.picture.shape
        for frame in takewhile(lambda _: frames.health.connects < 2, frames)
        if frame.picture is not None
    }
    assert sides == {(264, 480, 3)}
    assert camera.plays >= 2


def test_a_camera_asks_for_its_password_and_nobody_else_sees_it(
    rtsp: Callable[..., RtspCamera], capsys: pytest.CaptureFixture[str]
) -> None:
    camera = rtsp(lane(), break_after=5, password="drawn")
    wrong = ["--give-up-after", "0.2", camera.address("gate:guessed@")]
    assert watch.run(wrong) == 1
    assert camera.plays == 0
    assert "guessed" not in "".join(capsys.readouterr())
    frames = StreamFrames(camera.address("gate:drawn@"))
    assert any(frame.picture is not None for frame in frames)
