"""The arrays of an ONNX file by the names that the net has for them.

An exported file calls what it folded or turned by numbers, but each of its nodes after the layer
that made it. Only what ``lpr.training.loop.write_onnx`` writes is read; a full reader of the
format would be one more dependency.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_VARINT, _EIGHT_BYTES, _COUNTED, _FOUR_BYTES = 0, 1, 2, 5
"""How a field is written. Source: the protocol buffers' encoding."""
_MORE, _LOW = 0x80, 0x7F
_GRAPH: Final = 7
_NODE, _INITIALISER = 1, 5
_READ: Final = (_NODE, _INITIALISER)
_WITH_WEIGHTS: Final = ("Conv", "MatMul")
_NODE_INPUT, _NODE_NAME, _NODE_KIND = 1, 3, 4
_DIMS, _TYPE, _NAME, _RAW = 1, 2, 8, 9
"""Fields of ModelProto, GraphProto, NodeProto and TensorProto. Source: onnx.proto3."""
_FLOAT32: Final = 1


def arrays_of(content: bytes) -> dict[str, Floats]:
    """Give a model's arrays by the net's names of them.

    Parameters
    ----------
    content : bytes
        Of the file.

    Raises
    ------
    ValueError
        Where it is no ONNX file, or ends too soon.

    Notes
    -----
    Each byte is looked at once.
    """
    graphs = [value for field, value in _fields(content) if field == _GRAPH]
    if len(graphs) != 1:
        raise ValueError("has not one graph")
    parts = [
        (field, _bytes(value)) for field, value in _fields(_bytes(graphs[0])) if field in _READ
    ]
    stored = dict(_array(content) for field, content in parts if field == _INITIALISER)
    named = dict(stored)
    for content_of_node in (content for field, content in parts if field == _NODE):
        layer, taken = _layer(content_of_node)
        for part, name in zip(("weight", "bias"), taken[1:], strict=False):
            if layer and name in stored:
                named[f"{layer}.{part}"] = stored[name]
    return named


def _layer(node: bytes) -> tuple[str, list[str]]:
    """Give the layer that a node computes, empty where it has no weights, and what it takes."""
    name = kind = ""
    taken: list[str] = []
    for field, value in _fields(node):
        if field == _NODE_INPUT:
            taken.append(_bytes(value).decode())
        elif field == _NODE_NAME:
            name = _bytes(value).decode()
        elif field == _NODE_KIND:
            kind = _bytes(value).decode()
    # A node is called after its layer: /trunk/trunk.2/block/block.0/Conv is trunk.2.block.0.
    return (_layer_of(name) if kind in _WITH_WEIGHTS else ""), taken


def _layer_of(node: str) -> str:
    parts = node.strip("/").split("/")[:-1]
    kept: list[str] = []
    for part in parts:
        # Each level repeats the name of the one above it: block, then block.0.
        if kept and part.startswith(f"{kept[-1]}."):
            kept.pop()
        kept.append(part)
    return ".".join(kept)


def _array(content: bytes) -> tuple[str, Floats]:
    dims: list[int] = []
    name, raw = "", b""
    for field, value in _fields(content):
        if field == _DIMS:
            dims.append(int(value) if isinstance(value, int) else 0)
        elif field == _TYPE and value != _FLOAT32:
            return "", np.empty(0, np.float32)
        elif field == _NAME:
            name = _bytes(value).decode()
        elif field == _RAW:
            raw = _bytes(value)
    return name, np.frombuffer(raw, "<f4").reshape(dims)


def _fields(content: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Give the numbered fields of a message, numbers as they are and all else as bytes."""
    at = 0
    while at < len(content):
        key, at = _number(content, at)
        field, way = key >> 3, key & 7
        if way == _VARINT:
            value, at = _number(content, at)
            yield field, value
            continue
        size = {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}.get(way)
        if size is None:
            if way != _COUNTED:
                raise ValueError("no field is written so")
            size, at = _number(content, at)
        if at + size > len(content):
            raise ValueError("ends within a field")
        yield field, content[at : at + size]
        at += size


def _number(content: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(content):
        byte = content[at]
        value |= (byte & _LOW) << shift
        at, shift = at + 1, shift + 7
        if byte < _MORE:
            return value, at
    raise ValueError("ends within a number")


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("is a number")  # noqa: TRY004 - of the file, not of the caller
    return value
