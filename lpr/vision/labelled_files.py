"""The labelled set as a folder: pictures, a manifest that `train` and `evaluate` read, and a card.

A folder is brought up to date by writing into it again: what is not kept any more is deleted.
"""

import csv
import hashlib
import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from pydantic import JsonValue

from city.errors import Invalid
from city.time import rfc3339
from lpr.rules.corners import Found
from lpr.rules.folds import FOLDS, fold_of
from lpr.rules.labelled import Labelled, drawn_kind, rows_of
from lpr.vision.manifests import COLUMNS, NO_PLATE
from lpr.vision.pictures import picture_of
from lpr.vision.reading import straightened

MANIFEST: Final = "manifest.csv"
PROVENANCE: Final = "provenance.csv"
SET: Final = "set.json"
"""It also says that a folder is one of ours."""
_FOLDERS: Final = ("crops", "scenes")
_FROM: Final = (
    *("path", "sha256", "read_id", "frame_sha256", "answer", "model"),
    *("certainty", "fold", "kept_until"),
)


class LabelledFolder:
    """A folder that a labelled set is written to; its files are its owner's alone.

    Parameters
    ----------
    folder : Path
        New, empty, or a labelled set.

    Raises
    ------
    Invalid
        Where it is none of these.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if any(folder.iterdir()) and not (folder / SET).is_file():
                raise Invalid("holds something else than a labelled set", field="--out")
            folder.chmod(0o700)
            for name in _FOLDERS:
                (folder / name).mkdir(exist_ok=True)
        except OSError as error:
            raise Invalid(f"cannot be written: {error.strerror}", field="--out") from None
        if not (folder / SET).exists():
            # Ours from now on: what breaks off here is gone on with, or cleared, the next time.
            self._write(folder / SET, b"{}\n")
        self._folder = folder
        self._rows: list[tuple[str, ...]] = []
        self._from: list[tuple[str, ...]] = []
        self._answers: Counter[str] = Counter()
        self._models: Counter[str] = Counter()
        self._folds = [0] * FOLDS
        self._forget_by: datetime | None = None

    def add(self, labelled: Labelled) -> None:
        """Write a picture, and the plate cut out of it where its corners are known."""
        read, frame, plate = labelled.read, labelled.frame, labelled.plate
        self._answers[read.answer or ""] += 1
        self._models[read.model or "unknown"] += 1
        if self._forget_by is None or frame.kept_until_at < self._forget_by:
            self._forget_by = frame.kept_until_at
        name = f"scenes/{read.id}.jpg"
        self._keep(labelled, name, labelled.picture)
        if plate is None:
            self._rows.append((name, "", NO_PLATE, "scene", "", ""))
            return
        self._folds[fold_of(plate.text)] += 1
        if frame.corners is None:
            self._rows.append((name, plate.text, plate.kind.value, "scene", "", ""))
            return
        rows = rows_of(plate.kind, frame.corners)
        kind = drawn_kind(plate.kind, rows).value
        box = ",".join(f"{value:g}" for corner in frame.corners for value in corner)
        self._rows.append((name, plate.text, kind, "scene", box, str(rows)))
        found = Found(np.array(frame.corners, np.float32), rows, 1.0)
        _, coded = cv2.imencode(".png", straightened(picture_of(labelled.picture), found))
        name = f"crops/{read.id}.png"
        self._keep(labelled, name, coded.tobytes())
        self._rows.append((name, plate.text, kind, "crop", "", str(rows)))

    def finish(self, made_at: datetime, reason: str) -> dict[str, JsonValue]:
        """Write manifest and card, delete what is not in the set any more; give the card."""
        self._table(MANIFEST, (*COLUMNS, "rows"), self._rows)
        self._table(PROVENANCE, _FROM, self._from)
        card: dict[str, JsonValue] = {
            "made_at": rfc3339(made_at),
            "reason": reason,
            "pictures": sum(self._answers.values()),
            "answers": dict(sorted(self._answers.items())),
            "plates_by_fold": list(self._folds),
            "models": dict(sorted(self._models.items())),
            "manifest_sha256": _sha256((self._folder / MANIFEST).read_bytes()),
            "provenance_sha256": _sha256((self._folder / PROVENANCE).read_bytes()),
            "bring_up_to_date_by": None if self._forget_by is None else rfc3339(self._forget_by),
        }
        self._write(self._folder / SET, json.dumps(card, indent=1).encode() + b"\n")
        listed = {row[0] for row in self._from}
        for name in _FOLDERS:
            for path in sorted((self._folder / name).iterdir()):
                if f"{name}/{path.name}" not in listed:
                    path.unlink()
        return card

    def _keep(self, labelled: Labelled, name: str, content: bytes) -> None:
        self._write(self._folder / name, content)
        read, frame, plate = labelled.read, labelled.frame, labelled.plate
        self._from.append(
            (
                name,
                _sha256(content),
                str(read.id),
                frame.shown_sha256 or "",
                read.answer or "",
                read.model or "",
                str(read.certainty),
                "" if plate is None else str(fold_of(plate.text)),
                rfc3339(frame.kept_until_at),
            )
        )

    def _table(self, name: str, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
        new = self._folder / f"{name}.new"
        self._write(new, b"")
        with new.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(rows)
        new.replace(self._folder / name)

    @staticmethod
    def _write(path: Path, content: bytes) -> None:
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_bytes(content)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
