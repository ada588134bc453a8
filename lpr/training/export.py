"""From checkpoints to a folder of models: weights as ONNX, and the card that names their hashes."""

import hashlib
import json
from pathlib import Path
from typing import Final

from city.errors import Invalid
from lpr.training.detector import export_detector
from lpr.training.recogniser import export_recogniser
from lpr.training.schedule import told_of
from lpr.vision.models import CARD, MODELS

MOST_BYTES: Final = 5_000_000
"""What all weights together may take."""
_RECOGNISER, _DETECTOR = "recogniser.onnx", "detector.onnx"


def export_models(
    folder: Path, version: str, recogniser: Path | None, detector: Path | None
) -> dict[str, object]:
    """Write the models of checkpoints and their card; what is not given stays as it is.

    Parameters
    ----------
    folder : Path
        Gets the models. A folder without a card takes over that of the committed models, with
        their temperatures, bands and settings.
    version : str
        Name of the models together, kept with every read as evidence.
    recogniser, detector : Path, optional
        Checkpoints.

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
    for part, name, checkpoint in (
        ("recogniser", _RECOGNISER, recogniser),
        ("detector", _DETECTOR, detector),
    ):
        target = folder / name
        if checkpoint is not None:
            write = export_recogniser if part == "recogniser" else export_detector
            write(checkpoint, target)
            card[part]["run"] = told_of(checkpoint)
        elif not target.is_file():
            target.write_bytes((home / name).read_bytes())
        content = target.read_bytes()
        card[part] |= {
            "file": name,
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
    total = card["recogniser"]["bytes"] + card["detector"]["bytes"]
    if total > MOST_BYTES:
        raise Invalid(f"are {total} bytes, more than {MOST_BYTES}", field="weights")
    text = json.dumps(card, ensure_ascii=False, indent=1) + "\n"
    (folder / CARD).write_text(text, encoding="utf-8")
    return dict(card)
