"""Labelled sets of pictures as files: ``path,label,kind,form,box``.

``|`` parts the labels and kinds of several plates and ``;`` their boxes. A box is either a middle,
width, height and angle in degrees (five numbers) or four corners (eight), in pixels.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from city.errors import Invalid

Floats = NDArray[np.float32]

COLUMNS: Final = ("path", "label", "kind", "form", "box")
FORMS: Final = ("crop", "scene")
NO_PLATE: Final = "no_plate"
_MOST_ROWS: Final = 1_000_000
_TURNED, _CORNERS = 5, 8


@dataclass(frozen=True, slots=True)
class LabelledPlate:
    """A plate that a picture shows."""

    label: str
    kind: str
    corners: Floats | None
    """4 x 2 pixels, in any order; None where the manifest has no box."""


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    """A picture and the plates in it."""

    path: Path
    form: str
    plates: tuple[LabelledPlate, ...]


def read_manifest(path: Path) -> list[LabelledPicture]:
    """Read a manifest; pictures' paths are beside it.

    Raises
    ------
    Invalid
        Where it cannot be read, lacks a column, or a row is not as above; names the line.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            missing = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
            if missing:
                raise Invalid(f"has no column {', '.join(missing)}", field="manifest")
            found: list[LabelledPicture] = []
            for row in rows:
                if len(found) == _MOST_ROWS:
                    raise Invalid(f"has more than {_MOST_ROWS} rows", field="manifest")
                found.append(_picture(row, path.parent, rows.line_num))
            return found
    except OSError as error:
        reason = error.strerror or "cannot be read"
        raise Invalid(f"cannot be read: {reason}", field="manifest") from None
    except (UnicodeDecodeError, csv.Error):
        raise Invalid("is no CSV file in UTF-8", field="manifest") from None


def _picture(row: dict[str, str | None], folder: Path, line: int) -> LabelledPicture:
    name, form = row["path"] or "", row["form"] or ""
    field = f"manifest line {line}"
    if not name:
        raise Invalid("has no path", field=field)
    if form not in FORMS:
        raise Invalid(f"has no known form; known: {', '.join(FORMS)}", field=field)
    if not row["label"]:
        return LabelledPicture(folder / name, form, ())
    labels, kinds = row["label"].split("|"), (row["kind"] or "").split("|")
    boxes = row["box"].split(";") if row["box"] else [""] * len(labels)
    if not len(labels) == len(kinds) == len(boxes):
        raise Invalid("has not one kind and box a label", field=field)
    plates = tuple(
        LabelledPlate(label, kind, _corners(box, field))
        for label, kind, box in zip(labels, kinds, boxes, strict=True)
    )
    return LabelledPicture(folder / name, form, plates)


def _corners(box: str, field: str) -> Floats | None:
    if not box:
        return None
    try:
        numbers = [float(number) for number in box.split(",")]
    except ValueError:
        raise Invalid("has a box that is no list of numbers", field=field) from None
    if not np.isfinite(numbers).all() or len(numbers) not in {_TURNED, _CORNERS}:
        raise Invalid("has a box of neither five nor eight numbers", field=field)
    if len(numbers) == _CORNERS:
        return np.array(numbers, np.float32).reshape(4, 2)
    x, y, width, height, angle = numbers
    return np.asarray(cv2.boxPoints(((x, y), (width, height), angle)), np.float32)


def write_manifest(path: Path, rows: Iterable[tuple[str, str, str, str, str]]) -> None:
    """Write rows of path, label, kind, form and box."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)
