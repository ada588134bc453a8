"""``decode``: what a device's bytes say."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from pydantic import JsonValue

from parking.commands import CommandLine
from parking.rules.sensors import codecs
from parking.rules.sensors.model import (
    BayObservation,
    Decoded,
    Observation,
    Rejected,
    RejectReason,
)

SUMMARY = "decode a sensor's frame: fields, observations, health"
_MOST_PORT = 255


def _line() -> CommandLine:
    line = CommandLine(
        "decode",
        "Decode a frame of a parking sensor: the maker's documented fields, the normalised "
        "observations, the device's health. Exit status 1 where the frame is rejected.",
        "python -m parking decode --device nwave-nps405 --port 1 95",
    )
    line.add_argument("--device", required=True, metavar="NAME", help=", ".join(codecs.MODELS))
    line.add_argument("--port", required=True, type=int, metavar="N", help="FPort; 0 for NB-IoT")
    line.add_argument(
        "--direction",
        choices=("auto", "up", "down"),
        default="auto",
        help="auto: an uplink, else, if it is none, a downlink of the device",
    )
    line.add_argument("hex", metavar="HEX", help="the payload in hexadecimal digits")
    return line


def _observation(observed: Observation) -> dict[str, JsonValue]:
    kind = "bay" if isinstance(observed, BayObservation) else "passages"
    return {"kind": kind, **asdict(observed)}


def _decode(
    device: str, port: int, frame: bytes, direction: str
) -> tuple[str, Decoded | Mapping[str, JsonValue] | Rejected]:
    """Decode in the direction asked for, or in the one in which the frame has a meaning."""
    up = codecs.decode(device, port, frame)
    if direction == "up" or (direction == "auto" and isinstance(up, Decoded)):
        return "up", up
    down = codecs.decode_downlink(device, port, frame)
    if direction == "down" or not isinstance(down, Rejected):
        return "down", down
    # Neither: blame the direction that uses this port, the uplink where both do or none does.
    if (
        isinstance(up, Rejected)
        and up.reason is RejectReason.WRONG_PORT
        and down.reason is not RejectReason.WRONG_PORT
    ):
        return "down", down
    return "up", up


def run(arguments: Sequence[str]) -> int:
    """Print the decoded frame; return 0, or 1 where it was rejected."""
    line = _line()
    given = line.parse_args(arguments)
    if given.device not in codecs.MODELS:
        line.error(codecs.unknown_model(given.device))
    if not 0 <= given.port <= _MOST_PORT:
        line.error(f"argument --port: {given.port} is not 0 to {_MOST_PORT}")
    try:
        frame = bytes.fromhex(given.hex)
    except ValueError:
        line.error("argument HEX: not an even number of hexadecimal digits")
    direction, result = _decode(given.device, given.port, frame, given.direction)
    answer: dict[str, object] = {
        "device": given.device,
        "port": given.port,
        "direction": direction,
    }
    if isinstance(result, Rejected):
        answer |= {"errors": [result.detail], "reason": result.reason}
        line.say(f"{result.reason}: {result.detail}")
    elif isinstance(result, Decoded):
        answer |= {
            "data": result.fields,
            "observations": [_observation(each) for each in result.observations],
            "health": None if result.health is None else asdict(result.health),
        }
    else:
        answer |= {"data": result, "observations": [], "health": None}
    line.answer(answer)
    return 1 if isinstance(result, Rejected) else 0
