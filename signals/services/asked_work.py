"""Work that was asked for and that a job does: begun, and ended where it cannot be done."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import Connection

from city.errors import CityError
from city.works.database import Database, UnitOfWork


class Asked(Protocol):
    """What a store knows of any work."""

    @property
    def id(self) -> UUID:
        """Its own."""

    @property
    def finished_at(self) -> datetime | None:
        """When it ended, however it did."""


_Row = TypeVar("_Row", bound=Asked)
_Read_co = TypeVar("_Read_co", bound=Asked, covariant=True)


class _Find(Protocol[_Read_co]):
    def __call__(
        self, connection: Connection, work_id: UUID, /, *, lock: bool = False
    ) -> _Read_co | None: ...


@dataclass(frozen=True, slots=True)
class AskedWork(Generic[_Row]):
    """One kind of work, by its store's two functions."""

    find: _Find[_Row]
    change: Callable[..., None]
    """Of a connection, the work's id, and columns by name."""

    def open(self, uow: UnitOfWork, work_id: UUID) -> _Row | None:
        """Give work that has not ended, nobody else's meanwhile; None where it has."""
        found = self.find(uow.connection, work_id, lock=True)
        return None if found is None or found.finished_at is not None else found

    def run(
        self, database: Database, work_id: UUID, do: Callable[[_Row], None], **begun: object
    ) -> None:
        """Begin work and do it, with some columns as they are then; nothing where it has ended."""
        with database.unit_of_work() as uow:
            found = self.open(uow, work_id)
            if found is None:
                return
            at = uow.clock.now()
            self.change(uow.connection, found.id, status="running", started_at=at, **begun)
        try:
            do(found)
        except CityError as error:
            with database.unit_of_work() as uow:
                self.give_up(uow, work_id, str(error))

    def give_up(self, uow: UnitOfWork, work_id: UUID, problem: str) -> bool:
        """Let work that nobody will go on with end as failed; False where it has ended."""
        found = self.open(uow, work_id)
        if found is None:
            return False
        at = uow.clock.now()
        self.change(uow.connection, found.id, status="failed", finished_at=at, problem=problem)
        return True
