"""The sealer as the worker runs it: everything sealed, its lag a metric, its head in the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from city import audit
from city.audit import chain, jobs
from city.people import SYSTEM
from city.works import metrics

if TYPE_CHECKING:
    import pytest
    from pydantic import JsonValue

    from city.works.database import Database


def test_the_job_seals_in_batches_and_notes_the_head(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "BATCH", 4)
    monkeypatch.setattr(jobs, "seal", lambda uow: chain.seal(uow, 4))
    with database.unit_of_work() as uow:
        subjects: dict[str, dict[str, JsonValue]] = {str(number): {} for number in range(10)}
        audit.record_all(uow, SYSTEM, "parking.device_placed", "device", subjects)
    (task,) = jobs.tasks(database)
    with structlog.testing.capture_logs() as logged:
        task.handler({"timestamp": 0})
        task.handler({"timestamp": 10})
    with database.read() as connection:
        report = audit.verify(connection)
    assert (report.checked, report.unsealed) == (10, 0)
    assert [(line["sealed"], line["head"]) for line in logged] == [(10, str(report.head))]
    assert metrics.UNSEALED_AGE_S._value.get() == 0.0
