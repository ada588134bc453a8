"""``render``: plates and scenes made by ourselves, with a manifest."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from city.command_line import CommandLine
from city.errors import Invalid
from city.plate_rules import PlateKind
from lpr.rules.serials import DRAWN_KINDS
from lpr.synthesis.crops import draw_crop
from lpr.synthesis.faces import PlateFace, draw_face
from lpr.synthesis.glyphs import glyph_folder
from lpr.synthesis.scenes import draw_scene
from lpr.synthesis.videos import Passing, Place, draw_video
from lpr.vision.manifests import NO_PLATE, write_manifest

SUMMARY: Final = "make pictures of plates or scenes of any kind, with a manifest"

_EXAMPLE: Final = (
    "python -m lpr render --form crop --count 3 --seed 7 --out plates/   (three of every kind)\n"
    "  python -m lpr render --form scene --kind blue7 --size 1280x720 --out scenes/"
)
_MOST_COUNT: Final = 100_000
_VIDEO_FPS: Final = 10.0
_SIZES: Final = range(64, 8193)
_FORMS: Final = ("crop", "face", "scene", "video")

Row = tuple[str, str, str, str, str]


def run(arguments: Sequence[str]) -> int:
    """Write the pictures; the same seed always gives the same ones. Return 0."""
    line = CommandLine("lpr", "render", SUMMARY, _EXAMPLE)
    line.add_argument(
        "--out", metavar="FOLDER", required=True, help="gets pictures and manifest.csv"
    )
    line.add_argument(
        "--form",
        choices=_FORMS,
        default="crop",
        help="face: clean and flat; video: two cars pass a lane",
    )
    line.add_argument("--kind", action="append", metavar="KIND", help="again for several; all")
    line.add_argument("--count", type=int, default=1, help="pictures of each kind (default 1)")
    line.add_argument("--seed", type=int, default=0, help="0 to 2^63 (default 0)")
    line.add_argument("--size", default="960x540", metavar="WxH", help="of scenes, in pixels")
    given = line.parse_args(arguments)
    kinds = _kinds(given.kind)
    if not 1 <= given.count <= _MOST_COUNT:
        raise Invalid(f"must be 1 to {_MOST_COUNT}", field="--count")
    if not 0 <= given.seed < 2**63:
        raise Invalid("must be 0 to 2^63", field="--seed")
    size = _size(given.size)
    folder = Path(given.out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        rows = [
            _one(folder, kind, number, given.form, seed=given.seed, size_px=size)
            for kind in kinds
            for number in range(given.count)
        ]
        write_manifest(folder / "manifest.csv", rows)
    except OSError as error:
        raise Invalid(f"cannot be written: {error.strerror}", field="--out") from None
    line.answer(
        {
            "manifest": str(folder / "manifest.csv"),
            "pictures": len(rows),
            "kinds": [kind.value for kind in kinds],
            "seed": given.seed,
            "plate_face": "drawn font" if glyph_folder() is None else "plate-shaped characters",
        }
    )
    return 0


def _kinds(given: list[str] | None) -> list[PlateKind]:
    if given is None:
        return list(DRAWN_KINDS)
    known = {kind.value for kind in DRAWN_KINDS} | {NO_PLATE}
    for kind in given:
        if kind not in known:
            raise Invalid(f"is no kind; known: {', '.join(sorted(known))}", field="--kind")
    return [PlateKind.UNKNOWN if kind == NO_PLATE else PlateKind(kind) for kind in given]


def _size(given: str) -> tuple[int, int]:
    width, by, height = given.partition("x")
    if not (by and width.isdecimal() and height.isdecimal()):
        raise Invalid("must be WIDTHxHEIGHT", field="--size")
    if int(width) not in _SIZES or int(height) not in _SIZES:
        raise Invalid(f"must be {_SIZES[0]} to {_SIZES[-1]} each", field="--size")
    return int(width), int(height)


def _one(
    folder: Path,
    kind: PlateKind,
    number: int,
    form: str,
    *,
    seed: int,
    size_px: tuple[int, int],
) -> Row:
    """Draw and write one picture: its own stream of chance, so that more leave it as it is."""
    at = list(PlateKind).index(kind)
    random = np.random.default_rng([seed, _FORMS.index(form), at, number])
    shown = NO_PLATE if kind is PlateKind.UNKNOWN else kind.value
    name = f"{form}-{shown}-{seed}-{number:05d}.png"
    if form == "scene":
        kinds = () if kind is PlateKind.UNKNOWN else (kind,)
        scene = draw_scene(random, size_px, kinds)
        _write(folder / name, scene.picture)
        return (
            name,
            "|".join(plate.text for plate in scene.plates),
            "|".join(plate.kind.value for plate in scene.plates) or NO_PLATE,
            form,
            ";".join(
                ",".join(f"{value:.1f}" for value in plate.corners.ravel().tolist())
                for plate in scene.plates
            ),
        )
    if form == "video" and kind is not PlateKind.UNKNOWN:
        faces = [draw_face(kind, random) for _ in range(2)]
        name = f"{form}-{shown}-{seed}-{number:05d}.avi"
        _write_video(folder / name, faces, random, size_px)
        texts = "|".join(face.text for face in faces)
        return name, texts, "|".join([shown] * len(faces)), form, ""
    if form == "face" and kind is not PlateKind.UNKNOWN:
        face = draw_face(kind, random)
        _write(folder / name, face.picture)
        return name, face.text, shown, "crop", ""
    crop = draw_crop(kind, random)
    _write(folder / name, crop.picture)
    return name, crop.text, shown, "crop", ""


def _write_video(
    path: Path, faces: list[PlateFace], random: np.random.Generator, size_px: tuple[int, int]
) -> None:
    """Write a video: one car passes, the next comes, stands at a barrier and drives on."""
    away, barrier, past = Place(0.45, 0.2, 0.05), Place(0.5, 0.6, 0.2), Place(0.55, 0.85, 0.3)
    cars = [
        Passing(faces[0], 0.5, away, barrier, past, travel_s=1.5),
        Passing(faces[1], 6.0, away, barrier, past, travel_s=1.5, stands_s=5.0),
    ]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), _VIDEO_FPS, size_px)
    try:
        for picture in draw_video(
            cars, size_px, seconds=cars[-1].leaves_s + 1, fps=_VIDEO_FPS, random=random
        ):
            writer.write(picture)
    finally:
        writer.release()


def _write(path: Path, picture: NDArray[np.uint8]) -> None:
    _, coded = cv2.imencode(".png", picture)
    path.write_bytes(coded.tobytes())
