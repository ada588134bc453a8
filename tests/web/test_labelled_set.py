"""Reads that people looked at, as a folder that can be learnt from: who may, what is in it."""

from __future__ import annotations

import base64
import csv
import json
from typing import TYPE_CHECKING, Any

import pytest

from city.errors import Forbidden, Invalid
from city.plate_rules import PlateKind
from city.vehicles import parse_plate
from lpr.commands.export_labels import exported
from lpr.rules.folds import fold_of
from lpr.rules.labelled import rows_of
from lpr.services import evidence
from lpr.training.samples import read_photographs
from lpr.vision.evaluation import judge_picture
from lpr.vision.manifests import read_manifest
from lpr.vision.models import Detector, Recogniser
from tests.web.lane_site import Gates, open_gates
from web.demo.lane_frames import drawn

if TYPE_CHECKING:
    from pathlib import Path

    from lpr.rules.frames import Corners
    from tests.web.small_site import Site

REASON = "tune the recogniser"


@pytest.fixture
def gates(site: Site) -> Gates:
    return open_gates(site)


def sees(gates: Gates, event: str, stands: str, read_as: str, answer: str) -> str:
    """Have a camera read a plate, right or wrong, and a person say so."""
    content, corners = drawn(parse_plate(stands, PlateKind.BLUE7), 3)
    now = gates.site.clock.now().isoformat()
    body = {
        "event_id": event,
        "at": now,
        "sent_at": now,
        "plate": read_as,
        "plate_kind": "blue7",
        "confidences": [0.99] * 6 + [0.7],
        "model": "m1",
        "frame": base64.b64encode(content).decode(),
        "corners": corners,
    }
    sent = gates.site.post(f"/api/v1/lanes/{gates.entry.lane_id}/reads", "entry-1", json=body)
    read_id: str = sent.get_json()["read_id"]
    said: dict[str, Any] = {"answer": answer}
    if answer == "wrong":
        said |= {"plate": stands, "plate_kind": "blue7"}
    done = gates.site.post(f"/api/v1/reads/{read_id}/review", "attendant", json=said)
    assert done.status_code == 200, done.get_json()
    return read_id


def export(gates: Gates, folder: Path, who: str = "operator") -> dict[str, Any]:
    site = gates.site
    return dict(exported(site.wiring.database, site.tokens[who], REASON, folder))


def test_what_people_said_becomes_a_set_that_is_judged_and_learnt_from(
    gates: Gates, tmp_path: Path
) -> None:
    wrong = sees(gates, "e1", "京A12345", "京A12346", "wrong")
    sees(gates, "e2", "京B67890", "京B67890", "right")
    nothing = sees(gates, "e3", "京C24680", "京C24680", "no-plate")
    sees(gates, "e4", "京D13579", "京D13579", "unreadable")
    gates.site.run_jobs()
    card = export(gates, tmp_path / "set")
    assert card["answers"] == {"no-plate": 1, "right": 1, "wrong": 1}
    assert card["models"] == {"m1": 3}
    pictures = {each.path.name: each for each in read_manifest(tmp_path / "set" / "manifest.csv")}
    assert pictures[f"{wrong}.png"].plates[0].label == "京A12345"
    assert pictures[f"{nothing}.jpg"].plates == ()
    photographs = read_photographs(tmp_path / "set" / "manifest.csv")
    assert {(each.text, each.rows, each.fold) for each in photographs} == {
        ("京A12345", 1, fold_of("京A12345")),
        ("京B67890", 1, fold_of("京B67890")),
    }
    reader, finder = Recogniser(), Detector()
    for name in (f"{wrong}.png", f"{wrong}.jpg"):
        (judged,) = judge_picture(pictures[name], reader, finder).judged
        assert judged.right
    # Nobody learns from the rest of the folder whose car was where.
    for name in ("set.json", "provenance.csv"):
        assert "12345" not in (tmp_path / "set" / name).read_text("utf-8").replace(wrong, "")
    assert (tmp_path / "set" / "manifest.csv").stat().st_mode & 0o077 == 0


def test_each_picture_and_plate_is_on_record_with_why(gates: Gates, tmp_path: Path) -> None:
    read_id = sees(gates, "e1", "京A12345", "京A12346", "wrong")
    gates.site.run_jobs()
    card = export(gates, tmp_path / "set")
    told = {}
    for action in ("lpr.frame_exported", "lpr.labelled_set_exported", "vault.plate_revealed"):
        found = gates.site.get(f"/api/v1/audit?action={action}", "auditor").get_json()["items"]
        told[action] = found[0]["detail"]
    with (tmp_path / "set" / "provenance.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    frame = told["lpr.frame_exported"]
    assert (frame["read_id"], frame["reason"]) == (read_id, REASON)
    assert {row["frame_sha256"] for row in rows} == {frame["sha256"]}
    assert rows[0]["sha256"] == frame["sha256"]
    assert told["lpr.labelled_set_exported"]["manifest_sha256"] == card["manifest_sha256"]
    assert told["vault.plate_revealed"]["purpose"] == REASON


def test_only_operators_open_it_and_only_of_their_districts(gates: Gates, tmp_path: Path) -> None:
    sees(gates, "e1", "京A12345", "京A12346", "wrong")
    gates.site.run_jobs()
    for who in ("attendant", "auditor", "administrator", "integration", "device"):
        with pytest.raises(Forbidden):
            export(gates, tmp_path / who, who)
        assert not (tmp_path / who).exists()
    with pytest.raises(Forbidden):
        exported(gates.site.wiring.database, "gba_nobody", REASON, tmp_path / "x")
    with pytest.raises(Invalid):
        exported(gates.site.wiring.database, gates.site.tokens["operator"], " ", tmp_path / "x")
    assert export(gates, tmp_path / "west", "operator-west")["pictures"] == 0


def test_what_the_city_forgets_leaves_the_folder_when_it_is_brought_up_to_date(
    gates: Gates, tmp_path: Path
) -> None:
    old = sees(gates, "e1", "京A12345", "京A12346", "wrong")
    gates.site.run_jobs()
    folder = tmp_path / "set"
    by = export(gates, folder)["bring_up_to_date_by"]
    manifest = (folder / "manifest.csv").read_bytes()
    assert (
        export(gates, folder)["manifest_sha256"]
        == json.loads((folder / "set.json").read_text())["manifest_sha256"]
    )
    assert (folder / "manifest.csv").read_bytes() == manifest
    gates.site.clock.advance(91 * 86400)
    assert gates.site.clock.now().isoformat() > by
    new = sees(gates, "e2", "京B67890", "京B67891", "wrong")
    with gates.site.wiring.database.unit_of_work() as uow:
        assert evidence.forget_frames(uow) == 1
    gates.site.run_jobs()
    assert export(gates, folder)["pictures"] == 1
    left = sorted(path.stem for path in folder.glob("*/*"))
    assert left == [new, new]
    assert old not in (folder / "provenance.csv").read_text("utf-8")


def test_a_folder_of_something_else_is_left_alone(gates: Gates, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("a letter")
    with pytest.raises(Invalid, match="something else"):
        export(gates, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("kind", "high", "rows"),
    [
        ("blue7", 30, 1),
        ("yellow7", 14, 1),
        ("yellow7", 25, 2),
        ("motorcycle", 14, 2),
        ("trailer_yellow", 14, 1),
    ],
)
def test_rows_follow_from_the_kind_or_else_from_the_shape(kind: str, high: int, rows: int) -> None:
    corners: Corners = ((0, 0), (44, 0), (44, high), (0, high))
    assert rows_of(PlateKind(kind), corners) == rows
