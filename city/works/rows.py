"""Many rows as one parameter of one statement."""

from collections.abc import Mapping, Sequence

import orjson


def as_rows(rows: Sequence[Mapping[str, object]]) -> str:
    """Write rows for ``jsonb_to_recordset``: many of them are one parameter of one statement."""
    return orjson.dumps(rows).decode()
