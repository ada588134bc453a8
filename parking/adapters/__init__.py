"""The outside world of the parking room: network servers' formats and MQTT."""

from typing import Final

from city.errors import NotFound
from parking.adapters import chirpstack, ctwing, ttn
from parking.uplinks import Reading

SOURCES: Final = (ttn.SOURCE, chirpstack.SOURCE, ctwing.SOURCE)


def read(source: str, body: bytes, event: str | None = None) -> Reading:
    """Read a webhook's body in its network server's own format.

    Parameters
    ----------
    source
        One of `SOURCES`.
    body
        JSON: one message, or an array of them.
    event
        ChirpStack's `event` argument; the others do not have one.

    Raises
    ------
    Invalid
        Where the body as a whole cannot be read.
    NotFound
        Where there is no such source.
    """
    if source == ttn.SOURCE:
        return ttn.read(body)
    if source == chirpstack.SOURCE:
        return chirpstack.read(body, event)
    if source == ctwing.SOURCE:
        return ctwing.read(body)
    raise NotFound("there is no such source of uplinks", field="source")
