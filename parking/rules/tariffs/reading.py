"""From JSON to a tariff that is known to be consistent, and the language's own JSON schema."""

from collections.abc import Sequence

from pydantic import JsonValue, ValidationError

from city.errors import Invalid
from parking.rules.tariffs.checking import check
from parking.rules.tariffs.document import TariffDocument

_UNIONS = frozenset({"charge", "effect"})


def read_document(value: JsonValue) -> TariffDocument:
    """Read and check a tariff.

    Parameters
    ----------
    value : JsonValue
        The parsed JSON document.

    Returns
    -------
    TariffDocument
        Frozen and consistent: it gives a fee for every stay of every vehicle that it is for.

    Raises
    ------
    Invalid
        On the first fault, with the path of the field and the rule that it breaks.
    """
    try:
        document = TariffDocument.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        message = first["msg"].removeprefix("Value error, ")
        raise Invalid(message[:1].lower() + message[1:], field=field_path(first["loc"])) from None
    check(document)
    return document


def document_json_schema() -> dict[str, JsonValue]:
    """Give the JSON schema of the language (draft 2020-12)."""
    schema: dict[str, JsonValue] = TariffDocument.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def field_path(parts: Sequence[str | int]) -> str:
    """Write a path such as ``schedules[0].bands[1].charge.steps[0].unit_s``.

    After a union pydantic names its branch, which the document does not have.
    """
    path = ""
    for before, part in zip((None, *parts), parts, strict=False):
        if isinstance(part, int):
            path += f"[{part}]"
        elif before not in _UNIONS:
            path += f".{part}" if path else part
    return path or "tariff"
