"""Log-in of staff: sessions, their end, and the limits on trying."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from argon2 import PasswordHasher
from sqlalchemy import text

from city import audit
from city.errors import TooMany, Unauthenticated
from city.people import Actor, Role, passwords, services, throttle

if TYPE_CHECKING:
    from city.identifiers import AccountId
    from city.people.services import SessionGrant
    from city.time import FixedClock
    from city.works.database import Database

pytestmark = pytest.mark.usefixtures("quick_hashes")

PASSWORD = "river willow 27"
HOME = "203.0.113.7"


@pytest.fixture
def lin(people: Database) -> AccountId:
    """Make an attendant's account."""
    with people.unit_of_work() as uow:
        return services.create_account(uow, "lin.mei", "Lin Mei", [Role.ATTENDANT], PASSWORD)


def log_in(
    people: Database, login: str = "lin.mei", password: str = PASSWORD, remote: str = HOME
) -> SessionGrant:
    with people.unit_of_work() as uow:
        return services.log_in(uow, login, password, remote)


def fail(people: Database, times: int, login: str = "lin.mei", remote: str = HOME) -> None:
    for _ in range(times):
        with pytest.raises(Unauthenticated):
            log_in(people, login, "a wrong password", remote)


def session(people: Database, token: str) -> tuple[Actor, str] | None:
    with people.read() as connection:
        return services.session_actor(connection, token, people.wall)


def actions(people: Database) -> list[str]:
    with people.read() as connection:
        return [record.action for record in reversed(audit.records(connection).items)]


def test_the_right_password_opens_a_session_of_the_person(people: Database, lin: AccountId) -> None:
    grant = log_in(people)
    found = session(people, grant.token)
    assert found == (
        Actor("person", str(lin), lin, frozenset({Role.ATTENDANT}), "Lin Mei"),
        grant.csrf,
    )
    assert grant.expires_at - people.wall.now() == timedelta(hours=12)
    assert actions(people) == ["people.account_created", "people.logged_in"]


@pytest.mark.usefixtures("lin")
def test_a_login_is_the_same_however_it_is_written(people: Database) -> None:
    assert log_in(people, " LIN.MEI ").token
    assert log_in(people, "ｌｉｎ．ｍｅｉ").token


@pytest.mark.usefixtures("lin")
def test_neither_token_nor_password_stands_in_the_database(people: Database) -> None:
    grant = log_in(people)
    with people.read() as connection:
        rows = "".join(
            row
            for table in ("account", "session", "attempt", "familiar_remote")
            for row in connection.scalars(text(f"select t::text from people.{table} t"))  # noqa: S608 - literals
        ) + "".join(connection.scalars(text("select r::text from audit.record r")))
    assert "lin.mei" in rows
    for secret in (PASSWORD, grant.token, grant.token.encode().hex(), grant.csrf):
        assert secret not in rows
    assert grant.token not in repr(grant)


@pytest.mark.usefixtures("lin")
def test_wrong_password_unknown_login_and_disabled_account_look_the_same(people: Database) -> None:
    with people.unit_of_work() as uow:
        other = services.create_account(uow, "wang", "Wang", [Role.FINANCE], PASSWORD)
        services.disable_account(uow, other)
    said = set()
    for login, password in [("lin.mei", "wrong"), ("nobody", PASSWORD), ("wang", PASSWORD)]:
        with pytest.raises(Unauthenticated) as caught:
            log_in(people, login, password)
        said.add((str(caught.value), caught.value.field))
    assert said == {("login or password is wrong", None)}
    assert actions(people)[-3:] == ["people.log_in_refused"] * 3


@pytest.mark.usefixtures("lin")
def test_a_refused_log_in_is_recorded_without_what_was_typed(people: Database) -> None:
    fail(people, 1, login="river willow 27")
    with people.read() as connection:
        record = audit.records(connection).items[0]
        attempts = connection.scalars(text("select a::text from people.attempt a")).all()
    assert (record.action, record.subject_id) == ("people.log_in_refused", "unknown")
    assert record.detail == {"remote": HOME}
    assert "river" not in "".join(attempts)


@pytest.mark.usefixtures("lin")
def test_every_log_in_makes_a_new_session_and_ends_the_one_before(people: Database) -> None:
    first = log_in(people)
    with people.unit_of_work() as uow:
        second = services.log_in(uow, "lin.mei", PASSWORD, HOME, previous=first.token)
    assert first.token != second.token
    assert first.csrf != second.csrf
    assert session(people, first.token) is None
    assert session(people, second.token) is not None


@pytest.mark.usefixtures("lin")
def test_a_session_ends_when_it_is_not_used(people: Database, wall: FixedClock) -> None:
    token = log_in(people).token
    wall.advance(2 * 3600 - 1)
    assert session(people, token) is not None
    wall.advance(1)
    assert session(people, token) is None


@pytest.mark.usefixtures("lin")
def test_a_session_that_is_used_lives_on_to_its_absolute_end(
    people: Database, wall: FixedClock
) -> None:
    token = log_in(people).token
    for _ in range(11):
        wall.advance(3600)
        with people.read() as connection:
            found = services.read_session(connection, token, wall)
        assert found is not None
        assert found.refresh_due
        with people.unit_of_work() as uow:
            services.refresh_session(uow, token)
        with people.read() as connection:
            found = services.read_session(connection, token, wall)
        assert found is not None
        assert not found.refresh_due
    wall.advance(3599)
    assert session(people, token) is not None
    wall.advance(1)
    assert session(people, token) is None


@pytest.mark.usefixtures("lin")
def test_using_an_expired_session_does_not_revive_it(people: Database, wall: FixedClock) -> None:
    token = log_in(people).token
    wall.advance(2 * 3600)
    with people.unit_of_work() as uow:
        services.refresh_session(uow, token)
    assert session(people, token) is None


@pytest.mark.usefixtures("lin")
def test_business_time_does_not_end_a_session(people: Database, clock: FixedClock) -> None:
    token = log_in(people).token
    clock.advance(365 * 86_400)
    assert session(people, token) is not None


@pytest.mark.usefixtures("lin")
def test_logging_out_ends_the_session(people: Database) -> None:
    token = log_in(people).token
    for _ in range(2):
        with people.unit_of_work() as uow:
            services.log_out(uow, token)
    assert session(people, token) is None
    assert actions(people).count("people.logged_out") == 1


def test_logging_out_everywhere_ends_all_sessions(people: Database, lin: AccountId) -> None:
    grants = [log_in(people) for _ in range(3)]
    with people.unit_of_work() as uow:
        assert services.log_out_everywhere(uow, lin, by=grants[0].actor) == 3
    assert [session(people, grant.token) for grant in grants] == [None, None, None]


@pytest.mark.parametrize(
    "token", ["", "x", "gbs_" + "A" * 43, "gbs_" + "A" * 10_000, "\ud800", "é"]
)
@pytest.mark.usefixtures("lin")
def test_what_is_no_token_is_nobody(people: Database, token: str) -> None:
    log_in(people)
    assert session(people, token) is None
    with people.read() as connection:
        assert services.token_actor(connection, token) is None


@pytest.mark.usefixtures("lin")
def test_a_csrf_token_is_of_its_session_alone(people: Database) -> None:
    one, other = log_in(people), log_in(people)
    assert services.csrf_matches(one.token, one.csrf)
    assert not services.csrf_matches(one.token, other.csrf)
    assert not services.csrf_matches(one.token, "")
    assert not services.csrf_matches(one.token, "é")


def test_an_old_hash_is_made_anew_at_the_next_log_in(people: Database, lin: AccountId) -> None:
    old = PasswordHasher(time_cost=2, memory_cost=64).hash(PASSWORD)
    with people.unit_of_work() as uow:
        uow.connection.execute(text("update people.account set password_hash = :h"), {"h": old})
    log_in(people)
    with people.read() as connection:
        kept = connection.scalar(text("select password_hash from people.account"))
    assert kept != old
    assert not passwords.is_outdated(kept)
    assert log_in(people).actor.account_id == lin


@pytest.mark.usefixtures("lin")
def test_the_sixth_try_from_one_place_has_to_wait(people: Database, wall: FixedClock) -> None:
    fail(people, 1)
    wall.advance(60)
    fail(people, 4)
    with pytest.raises(TooMany) as caught:
        log_in(people)
    assert caught.value.retry_after_s == 14 * 60
    wall.advance(14 * 60)
    assert log_in(people).token


@pytest.mark.usefixtures("lin")
def test_knocking_while_it_is_shut_does_not_keep_it_shut(
    people: Database, wall: FixedClock
) -> None:
    fail(people, 5)
    for _ in range(14):
        wall.advance(60)
        with pytest.raises(TooMany):
            log_in(people)
    wall.advance(60)
    assert log_in(people).token


@pytest.mark.usefixtures("lin")
def test_a_log_in_that_succeeds_forgets_the_failures_before(people: Database) -> None:
    for _ in range(3):
        fail(people, 4)
        assert log_in(people).token


@pytest.mark.usefixtures("lin")
def test_one_place_cannot_shut_another_out(people: Database) -> None:
    fail(people, 5, remote="198.51.100.9")
    with pytest.raises(TooMany):
        log_in(people, remote="198.51.100.9")
    assert log_in(people, remote=HOME).token


@pytest.mark.usefixtures("lin")
def test_many_places_together_cannot_shut_a_person_out(people: Database) -> None:
    log_in(people)
    for number in range(20):
        fail(people, 1, remote=f"198.51.100.{number}")
    # All but the person's own place are now held to one try a quarter of an hour.
    with pytest.raises(TooMany):
        log_in(people, remote="198.51.100.3")
    assert log_in(people, remote=HOME).token
    for number in range(20):
        fail(people, 1, remote=f"198.51.100.{number}")
    assert log_in(people, remote="192.0.2.200").token


@pytest.mark.usefixtures("lin")
def test_one_place_cannot_try_every_login(people: Database) -> None:
    for number in range(30):
        with people.unit_of_work() as uow:
            throttle.count_attempt(uow, f"login{number}", HOME)
    with pytest.raises(TooMany):
        log_in(people, "login30")


@pytest.mark.usefixtures("lin")
def test_tries_at_the_same_moment_are_all_counted(people: Database) -> None:
    outcomes: list[str] = []

    def attempt() -> None:
        try:
            with people.unit_of_work() as uow:
                throttle.count_attempt(uow, "lin.mei", HOME)
            outcomes.append("counted")
        except TooMany:
            outcomes.append("refused")

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["counted"] * 5 + ["refused"] * 3


@pytest.mark.parametrize(
    ("remote", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
        ("unix", "unix"),
        ("x" * 100, "x" * 64),
    ],
)
def test_a_remote_is_an_address_or_a_household(remote: str, network: str) -> None:
    assert throttle.remote_network(remote) == network


@pytest.mark.usefixtures("lin")
def test_what_no_limit_looks_at_is_dropped(people: Database, wall: FixedClock) -> None:
    fail(people, 2, login="nobody")
    log_in(people)
    wall.advance(15 * 60 + 1)
    with people.unit_of_work() as uow:
        assert throttle.forget_attempts(uow) == 2
    wall.advance(31 * 86_400)
    with people.unit_of_work() as uow:
        assert throttle.forget_attempts(uow) == 1
