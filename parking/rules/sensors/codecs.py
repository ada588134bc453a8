"""The way into the sensors: every known model, decoding and encoding by model name."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from pydantic import JsonValue

from city.errors import Invalid
from parking.rules.sensors import bay_camera, bosch, dingtek, nwave, tekzitel, wxhs
from parking.rules.sensors.device import Codec
from parking.rules.sensors.model import Decoded, Downlink, Rejected, RejectReason

CACHED_FRAMES = 8_192
"""Frames of which the meaning is remembered: all status frames of all models are a few hundred,
so the city's everyday uplinks never leave the cache; about 1 kB each."""

MODELS: Mapping[str, Codec] = MappingProxyType(
    {
        codec.model: codec
        for codec in (
            bosch.TPS110,
            nwave.NPS310SM,
            nwave.NPS405,
            nwave.NCC405,
            tekzitel.TEKZIPARK,
            dingtek.DO200,
            dingtek.DO201,
            dingtek.DO202,
            wxhs.P_MD,
            bay_camera.BAY_CAMERA,
        )
    }
)


def unknown_model(model: str) -> str:
    """Say that there is no such model, and which there are."""
    return f"unknown device {model!r}; known: {', '.join(MODELS)}"


def decode_uncached(model: str, port: int, frame: bytes) -> Decoded | Rejected:
    """Do what `decode` does, without its memory of earlier frames."""
    codec = MODELS.get(model)
    if codec is None:
        return Rejected(RejectReason.UNKNOWN_MODEL, unknown_model(model))
    uplink = codec.uplinks.get(port)
    if uplink is None:
        return Rejected(RejectReason.WRONG_PORT, codec.wrong_port)
    length = len(frame)
    if uplink.shortest <= length <= uplink.longest:
        return uplink.read(frame)
    return Rejected(
        RejectReason.TRUNCATED if length < uplink.shortest else RejectReason.OVERSIZED,
        codec.wrong_length or _lengths(length, uplink.shortest, uplink.longest),
    )


def _lengths(length: int, shortest: int, longest: int) -> str:
    expected = f"{shortest}" if shortest == longest else f"{shortest} to {longest}"
    return f"frame of {length} bytes, expected {expected}"


@lru_cache(maxsize=CACHED_FRAMES)
def decode(model: str, port: int, frame: bytes) -> Decoded | Rejected:
    """Decode an uplink.

    A pure and total function: any bytes on any port yield `Decoded` or `Rejected`, never an
    exception. Cost grows with the frame's length; a few microseconds, less when remembered.

    Parameters
    ----------
    model : str
        A key of `MODELS`.
    port : int
        The LoRaWAN FPort; 0 for NB-IoT.
    frame : bytes
        The application payload, decrypted; for NB-IoT the bytes of the JSON payload.

    Returns
    -------
    Decoded or Rejected
        `Rejected.detail` is the maker's own error text where the maker has one.
    """
    return decode_uncached(model, port, frame)


def decode_downlink(model: str, port: int, frame: bytes) -> Mapping[str, JsonValue] | Rejected:
    """Decode what was sent to a device: the reverse of `encode`; never raises."""
    codec = MODELS.get(model)
    if codec is None:
        return Rejected(RejectReason.UNKNOWN_MODEL, unknown_model(model))
    if codec.decode_downlink is None:
        return Rejected(RejectReason.WRONG_PORT, f"{model} has no documented downlink")
    return codec.decode_downlink(port, frame)


def encode(model: str, message: Mapping[str, JsonValue]) -> Downlink:
    """Encode a message to a device.

    Parameters
    ----------
    model : str
        A key of `MODELS`.
    message : mapping
        The maker's parameter names and their values; `docs/sensors.md` lists them.

    Raises
    ------
    Invalid
        Unknown model, no documented downlink, or a name or value that the maker does not take;
        its text is the maker's own where the maker has one.
    """
    codec = MODELS.get(model)
    if codec is None:
        raise Invalid(unknown_model(model), field="device")
    if codec.encode is None:
        raise Invalid(f"{model} has no documented downlink", field="device")
    return codec.encode(message)
