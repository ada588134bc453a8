"""One answer for each Idempotency-Key."""

import threading
from datetime import timedelta

import pytest

from city.errors import Conflict, Invalid
from city.works.database import Database
from city.works.idempotency import Answer, begin, finish, forget, request_hash

PAY = request_hash("POST", "/api/v1/bills/1/payments", b'{"minor": 250}')
OTHER = request_hash("POST", "/api/v1/bills/1/payments", b'{"minor": 251}')
PAID = Answer(201, "application/json", b'{"id": "p-1"}')


def ask(database: Database, *, actor: str = "person:1", hashed: bytes = PAY) -> Answer | None:
    with database.unit_of_work() as uow:
        found = begin(uow, actor, "k-1", "take_payment", hashed)
        if found is None:
            finish(uow, actor, "k-1", PAID)
        return found


def test_the_first_request_goes_ahead_and_the_second_gets_its_answer(database: Database) -> None:
    assert ask(database) is None
    assert ask(database) == Answer(201, "application/json", b'{"id": "p-1"}')


def test_a_key_with_another_body_is_a_conflict(database: Database) -> None:
    ask(database)
    with pytest.raises(Conflict, match="another request"):
        ask(database, hashed=OTHER)


def test_a_key_belongs_to_its_actor(database: Database) -> None:
    ask(database)
    assert ask(database, actor="person:2", hashed=OTHER) is None


def test_a_failed_request_leaves_its_key_free(database: Database) -> None:
    def fail() -> None:
        with database.unit_of_work() as uow:
            begin(uow, "person:1", "k-1", "take_payment", PAY)
            raise Invalid("no")

    with pytest.raises(Invalid):
        fail()
    assert ask(database) is None


def test_a_concurrent_duplicate_waits_for_the_first_ones_answer(database: Database) -> None:
    answers: list[Answer | None] = []
    second = threading.Thread(target=lambda: answers.append(ask(database)))
    with database.unit_of_work() as uow:
        assert begin(uow, "person:1", "k-1", "take_payment", PAY) is None
        second.start()
        second.join(0.3)
        assert second.is_alive()
        finish(uow, "person:1", "k-1", PAID)
    second.join(60)
    assert answers == [PAID]


def test_a_duplicate_of_a_request_that_runs_too_long_is_a_conflict(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("city.works.idempotency.WAIT_S", 1)
    with database.unit_of_work() as uow:
        begin(uow, "person:1", "k-1", "take_payment", PAY)
        with pytest.raises(Conflict, match="still running"):
            ask(database)


def test_answers_are_forgotten_with_age(database: Database) -> None:
    ask(database)
    with database.unit_of_work() as uow:
        now = uow.wall.now()
        assert forget(uow, now - timedelta(hours=1)) == 0
        assert forget(uow, now + timedelta(seconds=1)) == 1
    assert ask(database) is None


@pytest.mark.parametrize("key", ["", "x" * 201, "京A12345", "a\nb"])
def test_a_key_that_is_no_key_is_invalid(database: Database, key: str) -> None:
    with pytest.raises(Invalid), database.unit_of_work() as uow:
        begin(uow, "person:1", key, "take_payment", PAY)


def test_where_one_part_ends_matters_to_the_hash() -> None:
    assert request_hash("POST", "/a", b"bc") != request_hash("POST", "/ab", b"c")
