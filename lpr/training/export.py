"""From checkpoints to a folder of models: weights as ONNX, and the card that names their hashes."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from city.errors import Invalid
from lpr.training.detector import export_detector
from lpr.training.recogniser import export_recogniser
from lpr.training.refiner import export_refiner
from lpr.training.schedule import told_of
from lpr.vision.models import CARD, MODELS, PARTS

MOST_BYTES: Final = 5_000_000
"""What all weights together may take."""
_WRITERS: Final = {
    "recogniser": export_recogniser,
    "detector": export_detector,
    "refiner": export_refiner,
}


def export_models(
    folder: Path, version: str, checkpoints: Mapping[str, Path | None]
) -> dict[str, object]:
    """Write the models of checkpoints and their card; what is not given stays as it is.

    Parameters
    ----------
    folder : Path
        Gets the models. A folder without a card takes over that of the committed models, with
        their temperatures, bands and settings.
    version : str
        Name of the models together, kept with every read as evidence.
    checkpoints : mapping of str to Path or None
        By the net's name on the card.

    Returns
    -------
    dict
        The card.

    Raises
    ------
    Invalid
        Where the weights together are larger than 5 MB.
    """
    folder.mkdir(parents=True, exist_ok=True)
    home = folder if (folder / CARD).is_file() else MODELS
    card = json.loads((home / CARD).read_text(encoding="utf-8"))
    card["version"] = version
    for part in PARTS:
        name, checkpoint = f"{part}.onnx", checkpoints.get(part)
        target = folder / name
        if checkpoint is not None:
            _WRITERS[part](checkpoint, target)
            card.setdefault(part, {})["run"] = told_of(checkpoint)
        elif not target.is_file():
            target.write_bytes((home / name).read_bytes())
        content = target.read_bytes()
        card[part] |= {
            "file": name,
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
    total = sum(card[part]["bytes"] for part in PARTS)
    if total > MOST_BYTES:
        raise Invalid(f"are {total} bytes, more than {MOST_BYTES}", field="weights")
    text = json.dumps(card, ensure_ascii=False, indent=1) + "\n"
    (folder / CARD).write_text(text, encoding="utf-8")
    return dict(card)
