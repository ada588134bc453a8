"""The composition root fits together: every event's handler is a task that workers know."""

from __future__ import annotations

from city.events import registered_events
from journeys import wiring


def test_every_handler_of_an_event_is_a_task_of_the_worker() -> None:
    built = wiring.build("greenbay-test", offline=True)
    names = [task.name for task in wiring.tasks(built)]
    assert len(names) == len(set(names))
    for event, handlers in wiring.EVENT_HANDLERS.items():
        assert event in registered_events().values()
        assert set(handlers) <= set(names)
    built.database.close()
