"""``train``: the recogniser, the detector, the refiner, their export and calibration."""

from argparse import Namespace
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from city.command_line import CommandLine
from city.errors import Invalid
from lpr.rules.folds import FOLDS

if TYPE_CHECKING:
    from lpr.training.ahead import Batch
    from lpr.training.loop import Learning

SUMMARY: Final = "train the models and export them (needs PyTorch: requirements-train.txt)"

_EXAMPLE: Final = (
    "python -m lpr train recogniser --steps 6000 --out runs/drawn\n"
    "  python -m lpr train recogniser --steps 1500 --start runs/drawn/checkpoint.pt "
    "--manifest lpr/manifest.csv --out runs/all\n"
    "  python -m lpr train recogniser --steps 500 --start lpr/models/recogniser.onnx "
    "--manifest corrections.csv --out runs/ours\n"
    "  python -m lpr train detector --steps 3000 --out runs/detector\n"
    "  python -m lpr train refiner --steps 3000 --out runs/refiner\n"
    "  python -m lpr train export --recogniser runs/all/checkpoint.pt "
    "--detector runs/detector/checkpoint.pt --refiner runs/refiner/checkpoint.pt "
    "--out lpr/models\n"
    "  python -m lpr train calibrate --folds runs --manifest lpr/manifest.csv --out lpr/models"
)
_PARTS: Final = ("recogniser", "detector", "refiner", "export", "calibrate")
_NETS: Final = ("recogniser", "detector", "refiner")
_PHOTOGRAPH_SHARE: Final = 0.4


def run(arguments: Sequence[str]) -> int:
    """Train a part, going on from its folder's checkpoint where there is one. Return 0."""
    line = CommandLine("lpr", "train", SUMMARY, _EXAMPLE)
    line.add_argument("part", choices=_PARTS)
    line.add_argument("--out", metavar="FOLDER", required=True, help="of the run, or of the models")
    line.add_argument("--steps", type=int, default=4000, help="in all, earlier runs counted in")
    line.add_argument("--seed", type=int, default=1)
    line.add_argument("--manifest", metavar="CSV", help="photographs to learn from: its crops")
    line.add_argument("--leave-out", type=int, metavar="FOLD", help="0 to 4: not learnt from")
    line.add_argument(
        "--start",
        metavar="CHECKPOINT",
        nargs="+",
        default=[],
        help="weights to begin with: a model (x.onnx), a checkpoint, or the mean of several",
    )
    line.add_argument("--rate", type=float, help="largest learning rate")
    line.add_argument("--threads", type=int, default=1, help="that compute the net (1)")
    line.add_argument("--pause-while", metavar="FILE", help="wait while this file exists")
    line.add_argument("--recogniser", metavar="CHECKPOINT", help="to export")
    line.add_argument("--detector", metavar="CHECKPOINT", help="to export")
    line.add_argument("--refiner", metavar="CHECKPOINT", help="to export")
    line.add_argument("--folds", metavar="FOLDER", help="fold0 to fold4, to calibrate by")
    line.add_argument("--version", default="unnamed", help="of the exported models")
    given = line.parse_args(arguments)
    if given.part != "calibrate" and find_spec("torch") is None:
        raise Invalid("is not installed: see requirements-train.txt", field="PyTorch")
    if given.steps < 1:
        raise Invalid("must be at least 1", field="--steps")
    if given.threads < 1:
        raise Invalid("must be at least 1", field="--threads")
    if given.leave_out is not None and not 0 <= given.leave_out < FOLDS:
        raise Invalid(f"must be 0 to {FOLDS - 1}", field="--leave-out")
    named = [(option, getattr(given, option)) for option in ("manifest", *_NETS)]
    for option, name in [*named, *(("start", name) for name in given.start)]:
        if name is not None and not Path(name).is_file():
            raise Invalid("is no file", field=f"--{option}")
    if len(given.start) > 1 and any(name.endswith(".onnx") for name in given.start):
        raise Invalid("takes one model, or checkpoints", field="--start")
    line.answer(_PART[given.part](given))
    return 0


def _recogniser(given: Namespace) -> dict[str, object]:
    from lpr.training.recogniser import recogniser_learning  # noqa: PLC0415 - PyTorch is there for training alone
    from lpr.training.samples import read_photographs  # noqa: PLC0415 - the same

    photographs = []
    if given.manifest is not None:
        photographs = [
            photograph
            for photograph in read_photographs(Path(given.manifest))
            if photograph.fold != given.leave_out
        ]
    share = _PHOTOGRAPH_SHARE if photographs else 0.0
    data: dict[str, object] = {"photographs": len(photographs), "photograph_share": share}
    told = _learn(given, recogniser_learning(photographs, share), data)
    return {**told, "photographs": len(photographs)}


def _detector(given: Namespace) -> dict[str, object]:
    from lpr.training.detector import DETECTOR  # noqa: PLC0415 - PyTorch is there for training alone

    return _learn(given, DETECTOR)


def _refiner(given: Namespace) -> dict[str, object]:
    from lpr.training.refiner import REFINER  # noqa: PLC0415 - PyTorch is there for training alone

    return _learn(given, REFINER)


def _learn(
    given: Namespace, learning: "Learning[Batch]", data: dict[str, object] | None = None
) -> dict[str, object]:
    from lpr.training.loop import Run, learn  # noqa: PLC0415 - PyTorch is there for training alone

    checkpoint = learn(
        Run(given.seed, given.steps, given.rate or None, given.threads),
        learning,
        Path(given.out),
        data=data,
        starts=[Path(name) for name in given.start],
        pause=_path(given.pause_while),
    )
    return {"checkpoint": str(checkpoint)}


def _export(given: Namespace) -> dict[str, object]:
    from lpr.training.export import export_models  # noqa: PLC0415 - PyTorch is there for training alone

    checkpoints = {part: _path(getattr(given, part)) for part in _NETS}
    return export_models(Path(given.out), given.version, checkpoints)


def _calibrate(given: Namespace) -> dict[str, object]:
    from lpr.training.calibrating import calibrate  # noqa: PLC0415 - beside the others
    from lpr.training.samples import read_photographs  # noqa: PLC0415 - the same

    if given.folds is None or given.manifest is None:
        raise Invalid("are both needed", field="--folds and --manifest")
    photographs = read_photographs(Path(given.manifest))
    return calibrate(photographs, Path(given.folds), Path(given.out))


def _path(name: str | None) -> Path | None:
    return None if name is None else Path(name)


_PART: Final = {
    "recogniser": _recogniser,
    "detector": _detector,
    "refiner": _refiner,
    "export": _export,
    "calibrate": _calibrate,
}
