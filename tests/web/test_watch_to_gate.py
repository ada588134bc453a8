"""A drawn video, read by our own camera software, opens a gate in and out: a stay and its bill."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from werkzeug.serving import make_server

from city.people.credentials import issue_token
from city.vault import marks_of_plates
from city.vehicles import PlateKind
from lpr.commands import watch
from lpr.rules.layouts import layouts_of
from lpr.synthesis.faces import face_of
from lpr.synthesis.videos import Passing, Place, draw_video
from parking.rules.sensors.frames import build
from tests.web.lane_site import Gates, LaneBox, open_gates
from tests.web.small_site import BOSCH, ttn_message
from tests.web.test_signal_detections_api import held, keep, reporting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.web.small_site import Site

TEXT = "京A12345"
SIZE = (640, 360)
FPS = 5.0
AWAY = Place(0.48, 0.35, 0.14)


@pytest.fixture
def gates(site: Site) -> Gates:
    return open_gates(site)


@contextmanager
def served(site: Site) -> Iterator[str]:
    """Serve the application on a real port."""
    server = make_server("127.0.0.1", 0, site.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


def film(
    path: Path,
    seed: int,
    stands_s: float = 1.6,
    seconds: float = 3.0,
    goes_to: Place = AWAY,
) -> Path:
    """Draw a car that comes near and stands before the camera."""
    random = np.random.default_rng(seed)
    face = face_of(TEXT, PlateKind.BLUE7, layouts_of(PlateKind.BLUE7, TEXT)[0], random)
    barrier = Place(0.5, 0.6, 0.28)
    car = Passing(face, 0.2, AWAY, barrier, goes_to, travel_s=1.0, stands_s=stands_s)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FPS, SIZE)
    for picture in draw_video([car], SIZE, seconds=seconds, fps=FPS, random=random):
        writer.write(picture)
    writer.release()
    return path


def filmed(gates: Gates, box: LaneBox, origin: str, folder: Path, seed: int) -> None:
    """Let a car stand before a lane while its camera's film is watched."""
    token = folder / f"{box.who}.token"
    token.write_text(gates.site.tokens[box.who], "ascii")
    video = film(folder / f"{box.who}.avi", seed)
    box.tell(box.word("loop", loop="approach", on=True))
    assert box.barrier == "down"
    lane = f"{origin}/api/v1/lanes/{box.lane_id}"
    assert watch.run([str(video), "--lane", lane, "--token-file", str(token)]) == 0
    box.tell()


def test_a_film_of_a_car_opens_the_gates_and_becomes_a_bill(
    gates: Gates, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with served(gates.site) as origin:
        filmed(gates, gates.entry, origin, tmp_path, 4)
        assert gates.entry.barrier == "up", capsys.readouterr()
        gates.entry.drives()
        gates.site.clock.advance(61 * 60)
        filmed(gates, gates.exit, origin, tmp_path, 9)
        assert gates.exit.barrier == "up", capsys.readouterr()
        gates.exit.drives()
    (bill,) = gates.settle()
    assert bill["amount"]["minor"] == 900
    reads = gates.site.get(
        "/api/v1/reads", "attendant", query_string={"facility_id": gates.facility_id}
    ).get_json()["items"]
    assert {each["picture"] for each in reads} == {"hidden"}
    assert all(each["model"] for each in reads)


def test_a_camera_is_a_witness_of_its_bay_beside_the_magnet(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bay = str(site.bays[0].id)
    key = {"network_key": f"cam:{bay}", "model": "greenbay-bay-camera"}
    made = site.post("/api/v1/devices", "operator", json={**key, "district": "0153"})
    assert made.status_code == 201, made.get_json()
    site.clock.advance(1)
    path = f"/api/v1/devices/{made.get_json()['id']}/placement"
    lies = {"bay_id": bay, "role": "secondary"}
    placed = site.post(path, "operator", json=lies)
    assert placed.status_code == 200, placed.get_json()
    site.clock.advance(60)
    (tmp_path / "token").write_text(site.tokens["integration"], "ascii")
    regions = tmp_path / "bays.json"
    regions.write_text(json.dumps({bay: [[0.2, 0.2], [0.8, 0.2], [0.8, 1], [0.2, 1]]}))
    video = film(tmp_path / "kerb.avi", 4, stands_s=9, seconds=7.4)
    monkeypatch.setattr(watch, "WallClock", lambda: site.clock)

    def state() -> str:
        site.clock.advance(60)
        site.consume()
        items = site.get(f"/api/v1/facilities/{site.facility.id}/bays").get_json()["items"]
        return str(next(each["state"] for each in items if each["id"] == bay))

    with served(site) as origin:
        options = ["--regions", str(regions), "--bays", f"{origin}/api/v1/bays", "--votes", "cam"]
        assert watch.run([str(video), *options, "--token-file", str(tmp_path / "token")]) == 0
    assert "registered" not in capsys.readouterr().err
    assert state() == "unknown", "a camera alone turns no bay"
    # The magnet has just been started: what it says is to be confirmed, too.
    port, frame = build("bosch-tps110", occupied=True, kind="startup", counter=0)
    site.hear(ttn_message(BOSCH, port, frame.hex(), 1, site.clock.now()))
    assert state() == "occupied"


def test_a_film_of_a_parked_car_says_whose_the_stay_in_its_bay_is(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bay = str(site.bays[0].id)
    with site.wiring.database.unit_of_work() as uow:
        (tmp_path / "token").write_text(issue_token(uow, "device", "cam-1"), "ascii")
    camera = {"subject": "cam-1", "facility_id": str(site.facility.id), "bay_ids": [bay]}
    assert site.post("/api/v1/readers", "operator", json=camera).status_code == 201
    site.hear(site.message(occupied=True))
    site.clock.advance(60)
    site.consume()
    regions = tmp_path / "bays.json"
    regions.write_text(json.dumps({bay: [[0.2, 0.2], [0.8, 0.2], [0.8, 1], [0.2, 1]]}))
    video = film(tmp_path / "kerb.avi", 4, stands_s=6.4, seconds=8.6)
    monkeypatch.setattr(watch, "WallClock", lambda: site.clock)
    with served(site) as origin:
        options = ["--regions", str(regions), "--bays", f"{origin}/api/v1/bays"]
        options += ["--token-file", str(tmp_path / "token"), "--evidence", str(tmp_path / "kept")]
        assert watch.run([str(video), *options]) == 0
    (visit,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (visit["region"], visit["left"]) == (bay, True)
    assert {"entering", "parked", "leaving"} <= visit["evidence"].keys()
    (stay,) = site.get("/api/v1/sessions", "attendant").get_json()["items"]
    timeline = site.get(f"/api/v1/sessions/{stay['id']}/evidence", "attendant").get_json()
    assert [each["kind"] for each in timeline["items"]] == ["bay-arrival", "camera-read"]
    sealed = site.get(f"/api/v1/sessions/{stay['id']}/photos", "operator").get_json()["items"]
    assert [each["moment"] for each in sealed] == ["entering", "parked", "leaving"]


def test_who_drives_off_from_a_stop_line_is_a_pass_of_its_signal(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reporting(site, "line-cam")
    (tmp_path / "token").write_text(site.tokens["line-cam"], "ascii")
    regions = tmp_path / "lanes.json"
    regions.write_text(json.dumps({"2": [[0.2, 0.2], [0.8, 0.2], [0.8, 1], [0.2, 1]]}))
    video = film(tmp_path / "line.avi", 4, stands_s=0.4, seconds=4.6, goes_to=Place(0.5, 0.8, 0.34))
    with served(site) as origin:
        door = ["--stop-line", f"{origin}/api/v1/signal-passes", "--regions", str(regions)]
        assert watch.run([str(video), *door, "--token-file", str(tmp_path / "token")]) == 0
    assert "refused" not in capsys.readouterr().err
    assert keep(site) == 1
    (row,) = held(site, "plate_pass")
    with site.wiring.database.unit_of_work() as uow:
        assert [row.mark] == marks_of_plates(uow, [(TEXT, row.at)])
    assert row.lane == 2
