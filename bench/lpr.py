"""Plates read exactly, and milliseconds, beside rapidocr-onnxruntime on the same pictures.

Needs the photographs of ``GREENBAY_DATA``; the peer lives in ``.venv-peers``. The committed models
have learnt from the crops, so the fair figures of crops are those with ``--folds FOLDER``: models
of five folds (``python -m lpr train recogniser --leave-out``), each reading what its own run never
saw; what that began with may have: the card says. The peer counts as right where any of its texts
is a plate's, ours only where the read on the plate is.
"""

import argparse
import json
import os
import statistics
import subprocess
from collections import defaultdict
from pathlib import Path

import cv2

from lpr.rules.accuracy import Judged, summary
from lpr.rules.folds import FOLDS, fold_of
from lpr.vision.evaluation import judge_picture
from lpr.vision.manifests import LabelledPicture, read_manifest
from lpr.vision.models import MODELS, Detector, Recogniser

ROOT = Path(__file__).resolve().parents[1]
PEERS = Path(os.environ.get("GREENBAY_PEERS", ROOT / ".venv-peers")) / "bin" / "python"
SETS = ("ccpd_crops", "easypr_crops", "easypr_scenes")
TIMEOUT_S = 1500


def peer(pictures: list[LabelledPicture]) -> dict[str, object]:
    """Run the peer over pictures of one set."""
    if not PEERS.exists():
        return {"missing": "there is no .venv-peers (requirements-peers.txt)"}
    listed = "".join(f"{each.form}\t{each.path}\n" for each in pictures)
    done = subprocess.run(
        [PEERS, ROOT / "bench" / "_rapidocr.py"],
        input=listed,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        return {"missing": done.stderr.strip().splitlines()[-1:]}
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    plates = right = 0
    for picture, row in zip(pictures, rows, strict=True):
        plates += len(picture.plates)
        right += sum(plate.label in row["texts"] for plate in picture.plates)
    return {
        "exact": round(right / plates, 4),
        "ms_median": round(statistics.median(row["ms"] for row in rows), 2),
    }


def ours(pictures: list[LabelledPicture], folds: str | None) -> dict[str, object]:
    """Run our models over pictures of one set."""
    detector = Detector()
    if folds is None:
        readers = [Recogniser(MODELS)]
    else:
        readers = [Recogniser(Path(folds) / f"fold{fold}") for fold in range(FOLDS)]
    judged: list[Judged] = []
    took_ms: list[float] = []
    for picture in pictures:
        fold = fold_of(picture.plates[0].label) if picture.plates else 0
        result = judge_picture(picture, readers[fold % len(readers)], detector)
        judged += result.judged
        took_ms.append(result.took_ms)
    told = summary(judged)
    kept = ("plates", "exact", "characters", "recall", "precision", "accepted", "wrong_accepted")
    return {
        **{name: told[name] for name in kept},
        "ms_median": round(statistics.median(took_ms), 2),
    }


def main() -> None:
    """Print ours and the peer's on each set."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folds", metavar="FOLDER")
    given = parser.parse_args()
    data = os.environ.get("GREENBAY_DATA")
    if not data:
        print(json.dumps({"missing": "GREENBAY_DATA is unset: there are no photographs"}))
        return
    cv2.setNumThreads(1)
    manifest = Path(data) / "lpr" / "manifest.csv"
    by_set: dict[str, list[LabelledPicture]] = defaultdict(list)
    for picture in read_manifest(manifest):
        by_set[picture.path.parent.name].append(picture)
    print(
        json.dumps(
            {
                "unit": "share of plates read exactly; milliseconds a picture, one thread",
                "peer": "rapidocr-onnxruntime (PP-OCRv4)",
                "ours_by": "models of folds" if given.folds is not None else "the shipped models",
                **{
                    name: {"ours": ours(by_set[name], given.folds), "peer": peer(by_set[name])}
                    for name in SETS
                },
            }
        )
    )


if __name__ == "__main__":
    main()
