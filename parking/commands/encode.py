"""``encode``: the bytes to send to a device."""

import json
from collections.abc import Sequence

from city.errors import Invalid
from parking.commands import CommandLine
from parking.rules.sensors import codecs

SUMMARY = "encode a downlink to a sensor"


def run(arguments: Sequence[str]) -> int:
    """Print the downlink's port and bytes; a message that the device does not take is status 2."""
    line = CommandLine(
        "encode",
        "Encode a message to a parking sensor, under the maker's parameter names.",
        "python -m parking encode --device dingtek-do201 '{\"uploadInterval\": 4}'",
    )
    able = ", ".join(name for name, codec in codecs.MODELS.items() if codec.encode is not None)
    line.add_argument("--device", required=True, metavar="NAME", help=able)
    line.add_argument("message", metavar="JSON", help="an object of parameter names and values")
    given = line.parse_args(arguments)
    try:
        message = json.loads(given.message)
    except (ValueError, RecursionError):
        line.error("argument JSON: not JSON")
    if not isinstance(message, dict):
        line.error("argument JSON: not an object")
    try:
        downlink = codecs.encode(given.device, message)
    except Invalid as refused:
        line.error(str(refused))
    line.answer(
        {
            "device": given.device,
            "port": downlink.port,
            "hex": downlink.frame.hex(),
            "bytes": list(downlink.frame),
        }
    )
    return 0
