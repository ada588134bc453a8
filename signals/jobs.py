"""What workers do for signals: optimisations."""

from collections.abc import Mapping

from pydantic import JsonValue

from city.identifiers import parse_id
from city.works.database import Database
from city.works.jobs import Task
from signals.services import optimisations


def tasks(database: Database) -> list[Task]:
    """Give the tasks of signals, to be registered by the worker."""

    def optimise(arguments: Mapping[str, JsonValue]) -> None:
        optimisation_id = parse_id(str(arguments.get("optimisation_id")), "optimisation_id")
        optimisations.run(database, optimisation_id, apart=True)

    return [Task(optimisations.TASK, optimise, attempts=3)]
