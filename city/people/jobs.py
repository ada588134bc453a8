"""What workers do for people: forget what is over."""

from collections.abc import Mapping

from pydantic import JsonValue

from city.people.local_codes import forget_codes
from city.people.sessions import forget_sessions
from city.people.throttle import forget_attempts
from city.works.database import Database
from city.works.jobs import Task


def tasks(database: Database) -> list[Task]:
    """Give the tasks of people, to be registered by the worker."""

    def tidy(arguments: Mapping[str, JsonValue]) -> None:
        del arguments
        with database.unit_of_work() as uow:
            forget_attempts(uow)
            forget_sessions(uow)
            forget_codes(uow)

    return [Task("people.tidy", tidy, every="*/15 * * * *")]
