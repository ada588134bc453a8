"""``match``: which of some vehicles a read names."""

from collections.abc import Sequence
from typing import Final

from pydantic import JsonValue

from city.command_line import CommandLine
from city.errors import Invalid
from city.vehicles import PlateKind, PlateNumber, normalise_plate, parse_plate
from lpr.rules.matching import match_read
from lpr.rules.reads import PlateRead

SUMMARY: Final = "tell which of some vehicles a read names: match, ambiguous or none"

_EXAMPLE: Final = (
    "python -m lpr match blue7:京A1Z345 blue7:京A12345 yellow7:京A99999 --confidence 0.97\n"
    "  a plate is [KIND:]TEXT; a candidate of seven ordinary characters needs its kind"
)


def run(arguments: Sequence[str]) -> int:
    """Print the verdict; return 0 whatever it is."""
    line = CommandLine("lpr", "match", SUMMARY, _EXAMPLE)
    line.add_argument("read", metavar="READ", help="what the camera read")
    line.add_argument("candidates", metavar="CANDIDATE", nargs="+", help="who it can have been")
    line.add_argument(
        "--confidence",
        default="1",
        metavar="C[,C…]",
        help="of all characters, or of each (default 1)",
    )
    given = line.parse_args(arguments)
    read = _read(given.read, given.confidence)
    match = match_read(
        read,
        [_candidate(text, number) for number, text in enumerate(given.candidates, start=1)],
    )
    line.answer(
        {
            "verdict": match.verdict.value,
            "candidate": None if match.candidate is None else _plate(match.candidate),
            "near": [{**_plate(near.candidate), "cost": near.cost} for near in match.near],
            "band": read.band().value,
            "confidence": read.confidence,
        }
    )
    return 0


def _plate(plate: PlateNumber) -> dict[str, JsonValue]:
    return {"text": plate.text, "kind": plate.kind.value}


def _parts(text: str, field: str) -> tuple[PlateKind | None, str]:
    kind, colon, plate = text.rpartition(":")
    if not colon:
        return None, plate
    if kind not in set(PlateKind):
        raise Invalid(f"has no known kind; known: {', '.join(PlateKind)}", field=field)
    return PlateKind(kind), plate


def _candidate(text: str, number: int) -> PlateNumber:
    field = f"CANDIDATE {number}"
    kind, plate = _parts(text, field)
    return parse_plate(plate, kind, field)


def _read(text: str, confidence: str) -> PlateRead:
    kind, plate = _parts(text, "READ")
    normal = normalise_plate(plate)
    try:
        confidences = tuple(float(part) for part in confidence.split(","))
    except ValueError:
        raise Invalid("must be numbers", field="--confidence") from None
    if len(confidences) == 1:
        confidences *= len(normal)
    return PlateRead(normal, PlateKind.UNKNOWN if kind is None else kind, confidences)
