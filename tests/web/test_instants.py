"""Instants that come in: as RFC 3339 writes them, and nothing that could be read as one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter, ValidationError

from web.api.schemas.base import InstantIn

INSTANT = TypeAdapter(InstantIn)


@pytest.mark.parametrize("written", ["2026-03-02T01:00:00Z", "2026-03-02t09:00:00.0+08:00"])
def test_an_instant_is_taken_as_it_is_written(written: str) -> None:
    at = datetime(2026, 3, 2, 1, tzinfo=UTC)
    assert INSTANT.validate_python(written) == at
    assert INSTANT.validate_json(f'"{written}"', strict=True) == at


@pytest.mark.parametrize(
    "written", ["0.5", "1772413200", 1772413200, "2026-03-02", "2026-03-02T01:00:00", "soon", None]
)
def test_a_number_or_half_an_instant_is_none(written: object) -> None:
    with pytest.raises(ValidationError):
        INSTANT.validate_python(written)
