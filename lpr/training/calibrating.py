"""Calibration of the committed models by the cross-validation's held-out crops."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from lpr.rules.alphabet import CLASSES, KIND_CLASS_OF, classes_of
from lpr.rules.calibration import fitted_bands, fitted_temperature
from lpr.rules.decoding import Temperatures
from lpr.rules.folds import FOLDS
from lpr.training.samples import Photograph
from lpr.vision.models import CARD, Recogniser
from lpr.vision.reading import read_crop
from lpr.vision.strips import strip_of


def calibrate(photographs: list[Photograph], folds: Path, folder: Path) -> dict[str, object]:
    """Fit temperatures and bands and write them to a folder's card, and the folds'.

    Parameters
    ----------
    photographs : list of Photograph
        The whole dev set: each is read by the model of its fold.
    folds : Path
        Has fold0 to fold4.
    folder : Path
        Whose card to change.

    Returns
    -------
    dict
        What was fitted, and on how many reads.
    """
    readers = [Recogniser(folds / f"fold{fold}") for fold in range(FOLDS)]
    told = [readers[each.fold].logits([strip_of(each.picture, each.rows)]) for each in photographs]
    seats = np.concatenate([logits[0] for logits, _ in told]).reshape(-1, CLASSES)
    wanted = np.concatenate([classes_of(each.text) for each in photographs])
    kinds = np.concatenate([logits for _, logits in told])
    wanted_kinds = np.array([KIND_CLASS_OF[each.kind] for each in photographs])
    temperatures = Temperatures(
        fitted_temperature(seats, wanted), fitted_temperature(kinds, wanted_kinds)
    )
    for reader in readers:
        reader.card = replace(reader.card, temperatures=temperatures)
    # Bands are of reads as they are made: looked at again where in doubt.
    reads = [read_crop(each.picture, readers[each.fold]) for each in photographs]
    bands = fitted_bands(
        [found[0].read.confidence if found else 0.0 for found in reads],
        [
            bool(found) and found[0].read.text == each.text
            for found, each in zip(reads, photographs, strict=True)
        ],
    )
    for home in (folder, *(folds / f"fold{fold}" for fold in range(FOLDS))):
        path = home / CARD
        card = json.loads(path.read_text(encoding="utf-8"))
        card["recogniser"]["temperatures"] = asdict(temperatures)
        card["bands"] = asdict(bands)
        path.write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return {"temperatures": asdict(temperatures), "bands": asdict(bands), "reads": len(reads)}
