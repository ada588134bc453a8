"""Bodies and queries read strictly by their pydantic models; what does not fit names its field.

APIFlask's own reader takes any content type for JSON, the first of a parameter given twice, and
numbers written as text. This one takes its place in APIFlask's registry of schema adapters.
"""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from apiflask.schema_adapters import registry
from apiflask.schema_adapters.pydantic import PydanticAdapter
from pydantic import ValidationError

from web.problems import Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flask import Request
    from pydantic import BaseModel

MAX_JSON_BYTES: Final = 65_536
"""Largest body of an act; webhooks have a limit of their own."""
MOST_FAULTS: Final = 20
BODY: Final = "body"
NUL_ESCAPE: Final = rb"\u0000"


class StrictAdapter(PydanticAdapter):
    """Reads requests into pydantic models, with every fault named."""

    def validate_input(self, request: Request, location: str, **_options: Any) -> BaseModel:
        """Read the part of a request that a view states as its input.

        Raises
        ------
        Unreadable
            415 for a body that is not JSON by its content type, 400 for one that cannot be read,
            422 for one that does not fit the model, and for a query that does not.
        """
        if location == "json":
            return _json(self.model_class, request)
        if location == "query":
            return _query(self.model_class, request)
        raise ValueError(f"no view reads its input from {location}")


def _json(model: type[BaseModel], request: Request) -> BaseModel:
    if not request.is_json:
        raise Unreadable(
            415,
            "unsupported-media-type",
            "The body must be JSON.",
            [("Content-Type", "must be application/json")],
        )
    # A model whose bodies are whole files says how large they may be.
    request.max_content_length = getattr(model, "MOST_BYTES", MAX_JSON_BYTES)
    body = request.get_data()
    try:
        read = model.model_validate_json(body, strict=True)
    except ValidationError as error:
        raise _unreadable(error) from None
    # Only its escape can put a NUL into JSON: other bodies are not walked.
    if NUL_ESCAPE in body:
        _refuse_nul(json.loads(body))
    return read


def _query(model: type[BaseModel], request: Request) -> BaseModel:
    values: dict[str, str] = {}
    for name, given in request.args.lists():
        if len(given) > 1:
            raise Unreadable(
                422, "invalid", "The request does not fit.", [(name[:64], "is given twice")]
            )
        values[name] = given[0]
    _refuse_nul(values)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise _unreadable(error) from None


def _refuse_nul(given: object) -> None:
    """Refuse texts with a NUL in them, wherever they stand: PostgreSQL keeps none."""
    found = list(islice(_with_nul(given, ()), MOST_FAULTS))
    if found:
        faults = [(_field({"loc": path}), "must not hold a NUL") for path in found]
        raise Unreadable(422, "invalid", "The request does not fit.", faults)


def _with_nul(given: object, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if isinstance(given, str):
        if "\x00" in given:
            yield path
    elif isinstance(given, dict):
        for name, value in given.items():
            if "\x00" in name:
                yield path
            yield from _with_nul(value, (*path, name))
    elif isinstance(given, list):
        for place, value in enumerate(given):
            yield from _with_nul(value, (*path, place))


def _unreadable(error: ValidationError) -> Unreadable:
    # Without the input: it may hold a plate, and answers are kept by proxies and logs.
    found = error.errors(include_url=False, include_context=False, include_input=False)
    if found[0]["type"] == "json_invalid":
        return Unreadable(400, "malformed", "The body is not JSON.", [(BODY, found[0]["msg"])])
    faults = [(_field(each), each["msg"]) for each in found[:MOST_FAULTS]]
    named = ", ".join(sorted({field for field, _ in faults}))
    return Unreadable(422, "invalid", f"The request does not fit: {named}.", faults)


def _field(fault: Mapping[str, Any]) -> str:
    # A member that we do not know is named by the caller: at any length.
    return ".".join(str(part)[:64] for part in fault["loc"]) or BODY


registry.register("pydantic", StrictAdapter)
