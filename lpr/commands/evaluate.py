"""``evaluate``: how well the models read a labelled set."""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2

from city.command_line import CommandLine
from city.errors import Invalid
from lpr.rules.accuracy import Judged, summary
from lpr.rules.folds import FOLDS, fold_of
from lpr.vision.evaluation import judge_picture
from lpr.vision.manifests import FORMS, LabelledPicture, read_manifest
from lpr.vision.models import MODELS, Detector, Recogniser

SUMMARY: Final = "tell how well the models read a labelled set"

_EXAMPLE: Final = (
    "python -m lpr evaluate manifest.csv --form crop\n"
    "  python -m lpr evaluate manifest.csv --folds runs/   (by models that never saw the plate)"
)


def run(arguments: Sequence[str]) -> int:
    """Print the figures, all together and by form; return 1 where a picture could not be read."""
    line = CommandLine("lpr", "evaluate", SUMMARY, _EXAMPLE)
    line.add_argument("manifest", metavar="MANIFEST.csv", help="path,label,kind,form,box")
    line.add_argument("--form", choices=FORMS, help="only these")
    line.add_argument("--set", metavar="NAME", help="only pictures whose path begins with it")
    line.add_argument("--models", metavar="FOLDER", default=str(MODELS), help="card and weights")
    line.add_argument(
        "--folds",
        metavar="FOLDER",
        help="has fold0 to fold4: a plate is read by the model of its fold, which never saw it",
    )
    line.add_argument("--fold", type=int, metavar="FOLD", help="only plates of this fold, 0 to 4")
    line.add_argument("--wrong", action="store_true", help="list what was read wrong")
    given = line.parse_args(arguments)
    cv2.setNumThreads(1)
    manifest = Path(given.manifest)
    pictures = [
        picture
        for picture in read_manifest(manifest)
        if (given.form is None or picture.form == given.form)
        and (given.fold is None or (bool(picture.plates) and _fold(picture) == given.fold))
        and (
            given.set is None
            or str(picture.path.relative_to(manifest.parent)).startswith(given.set)
        )
    ]
    if not pictures:
        raise Invalid("has no such picture", field="manifest")
    readers = _readers(given.models, given.folds)
    scenes = any(picture.form == "scene" for picture in pictures)
    detector = Detector(Path(given.models)) if scenes else None
    judged: dict[str, list[Judged]] = {form: [] for form in FORMS}
    took_ms: dict[str, list[float]] = {form: [] for form in FORMS}
    errors: list[dict[str, str]] = []
    for picture in pictures:
        result = judge_picture(picture, readers[_fold(picture) % len(readers)], detector)
        judged[picture.form] += result.judged
        if result.error is None:
            took_ms[picture.form].append(result.took_ms)
        else:
            errors.append({"path": str(picture.path), "error": result.error})
    answer: dict[str, object] = {
        "models": readers[0].card.version,
        "cross_validated": given.folds is not None,
        "pictures": len(pictures),
        "errors": errors,
        **summary([each for form in FORMS for each in judged[form]]),
    }
    for form in FORMS:
        if judged[form] or took_ms[form]:
            milliseconds = round(statistics.median(took_ms[form] or [0.0]), 2)
            answer[form] = {**summary(judged[form]), "ms_median": milliseconds}
    if given.wrong:
        answer["wrong"] = [
            [each.label, each.text, round(each.confidence, 4)]
            for form in FORMS
            for each in judged[form]
            if not each.right
        ]
    line.answer(answer)
    return 1 if errors else 0


def _fold(picture: LabelledPicture) -> int:
    """Give the fold of a picture: that of its first plate."""
    return fold_of(picture.plates[0].label) if picture.plates else 0


def _readers(models: str, folds: str | None) -> list[Recogniser]:
    if folds is None:
        return [Recogniser(Path(models))]
    return [Recogniser(Path(folds) / f"fold{fold}") for fold in range(FOLDS)]
