"""Driver log-in: a code by phone, an account that makes itself, and no phone number kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from city.errors import Forbidden, Invalid, TooMany, Unauthenticated
from city.people import Role, services
from city.people.identity import DriverIdentity, parse_phone
from city.people.jobs import tasks
from city.people.local_codes import LocalPhoneCodes
from city.works.settings import Settings

if TYPE_CHECKING:
    from city.people.services import SessionGrant
    from city.time import FixedClock
    from city.works.database import Database

PHONE = "138 0013 8000"
OTHER_PHONE = "139 0013 9000"


class Terminal(list[str]):
    """What was shown, and the last code in it."""

    @property
    def code(self) -> str:
        found = re.search(r"[0-9]{6}$", self[-1])
        assert found is not None
        return found[0]


@pytest.fixture
def terminal() -> Terminal:
    """Give a terminal to read codes from."""
    return Terminal()


@pytest.fixture
def codes(people: Database, terminal: Terminal) -> DriverIdentity:
    """Give the demo's provider."""
    return LocalPhoneCodes(people, Settings(GREENBAY_DEMO=True), terminal.append)


def log_in(people: Database, subject: str, provider: str = "phone") -> SessionGrant:
    with people.unit_of_work() as uow:
        return services.log_in_driver(uow, provider, subject, "203.0.113.7")


def test_a_driver_logs_in_with_a_code_and_comes_back_to_the_same_account(
    people: Database, codes: DriverIdentity, terminal: Terminal, wall: FixedClock
) -> None:
    codes.send_code(PHONE, remote="203.0.113.7")
    first = log_in(people, codes.verify(PHONE, terminal.code))
    wall.advance(61)
    codes.send_code("+8613800138000")
    second = log_in(people, codes.verify("+86 138-0013-8000", terminal.code))
    assert first.actor.account_id == second.actor.account_id
    assert first.actor.roles == frozenset({Role.DRIVER})
    with people.read() as connection:
        found = services.session_actor(connection, second.token, wall)
    assert found is not None
    assert found[0].account_id == first.actor.account_id


def test_another_phone_or_another_provider_is_another_driver(people: Database) -> None:
    subjects = [("phone", "+8613800138000"), ("phone", "+8613900139000"), ("alipay", "2088…1")]
    accounts = {
        log_in(people, subject, provider).actor.account_id for provider, subject in subjects
    }
    assert len(accounts) == 3


def test_no_phone_number_and_no_code_stands_in_the_database(
    people: Database, codes: DriverIdentity, terminal: Terminal
) -> None:
    codes.send_code(PHONE)
    log_in(people, codes.verify(PHONE, terminal.code))
    with people.read() as connection:
        tables = connection.scalars(
            text(
                "select format('%I.%I', schemaname, tablename) from pg_tables"
                " where schemaname in ('people', 'vault', 'audit')"
            )
        ).all()
        rows = "".join(
            row
            for table in tables
            for row in connection.scalars(text(f"select t::text from {table} t"))  # noqa: S608 - names from the catalogue
        )
    for form in ("13800138000", "00138000", b"13800138000".hex()):
        assert form not in rows
    # A code is six digits, which may stand by chance in a UUID or a digest: look at its own row.
    with people.read() as connection:
        digest = connection.scalar(text("select code_digest from people.driver_code"))
    assert len(digest) == 32


def test_a_code_holds_once(codes: DriverIdentity, terminal: Terminal) -> None:
    codes.send_code(PHONE)
    assert codes.verify(PHONE, terminal.code) == "+8613800138000"
    with pytest.raises(Unauthenticated):
        codes.verify(PHONE, terminal.code)


def test_a_code_holds_for_its_phone_alone(codes: DriverIdentity, terminal: Terminal) -> None:
    codes.send_code(PHONE)
    codes.send_code(OTHER_PHONE)
    other = terminal.code
    with pytest.raises(Unauthenticated):
        codes.verify(PHONE, other)


def test_a_code_holds_for_five_minutes(
    codes: DriverIdentity, terminal: Terminal, wall: FixedClock
) -> None:
    codes.send_code(PHONE)
    wall.advance(300)
    with pytest.raises(Unauthenticated):
        codes.verify(PHONE, terminal.code)


def test_the_sixth_try_fails_though_it_is_right(codes: DriverIdentity, terminal: Terminal) -> None:
    codes.send_code(PHONE)
    wrong = "000000" if terminal.code != "000000" else "000001"
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            codes.verify(PHONE, wrong)
    with pytest.raises(Unauthenticated):
        codes.verify(PHONE, terminal.code)


def test_a_new_code_ends_the_old_one(
    codes: DriverIdentity, terminal: Terminal, wall: FixedClock
) -> None:
    codes.send_code(PHONE)
    old = terminal.code
    wall.advance(61)
    codes.send_code(PHONE)
    if old != terminal.code:
        with pytest.raises(Unauthenticated):
            codes.verify(PHONE, old)
    assert codes.verify(PHONE, terminal.code)


def test_codes_are_sent_once_a_minute_and_five_times_an_hour(
    codes: DriverIdentity, terminal: Terminal, wall: FixedClock
) -> None:
    codes.send_code(PHONE)
    with pytest.raises(TooMany) as caught:
        codes.send_code(PHONE)
    assert caught.value.retry_after_s == 60
    for _ in range(4):
        wall.advance(60)
        codes.send_code(PHONE)
    wall.advance(60)
    with pytest.raises(TooMany) as caught:
        codes.send_code(PHONE)
    assert caught.value.retry_after_s == 55 * 60
    codes.send_code(OTHER_PHONE)
    assert len(terminal) == 6


def test_one_remote_cannot_have_codes_sent_to_everybody(codes: DriverIdentity) -> None:
    for number in range(30):
        codes.send_code(f"1380013{8000 + number}", remote="203.0.113.7")
    with pytest.raises(TooMany):
        codes.send_code("13800139999", remote="203.0.113.7")
    codes.send_code("13800139999", remote="203.0.113.8")


def test_the_terminal_shows_the_end_of_the_phone_only(
    codes: DriverIdentity, terminal: Terminal
) -> None:
    codes.send_code(PHONE)
    assert re.fullmatch(
        r"Greenbay demo: the code for the phone ending in 00 is [0-9]{6}", terminal[0]
    )


def test_codes_on_the_terminal_are_for_the_demo_alone(people: Database) -> None:
    with pytest.raises(Forbidden):
        LocalPhoneCodes(people, Settings(GREENBAY_DEMO=False))


def test_a_disabled_driver_is_refused(people: Database) -> None:
    account_id = log_in(people, "+8613800138000").actor.account_id
    assert account_id is not None
    with people.unit_of_work() as uow:
        services.disable_account(uow, account_id)
    with pytest.raises(Unauthenticated):
        log_in(people, "+8613800138000")


def test_a_driver_gets_no_roles_of_staff_and_no_password(people: Database) -> None:
    account_id = log_in(people, "+8613800138000").actor.account_id
    assert account_id is not None
    with pytest.raises(Invalid), people.unit_of_work() as uow:
        services.set_roles(uow, account_id, ["administrator"])
    with pytest.raises(Invalid), people.unit_of_work() as uow:
        services.reset_password(uow, account_id, "river willow 27")


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("13800138000", "+8613800138000"),
        (" 138-0013-8000 ", "+8613800138000"),
        ("+86 138 0013 8000", "+8613800138000"),
        ("+49 (30) 1234567", "+49301234567"),
    ],
)
def test_a_phone_number_has_one_form(typed: str, number: str) -> None:
    assert parse_phone(typed) == number


@pytest.mark.parametrize(
    "typed", ["", "12345", "12800138000", "1380013800a", "+0123456789", "１３８"]
)
def test_what_is_no_phone_number_is_refused_without_quoting_it(typed: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_phone(typed)
    assert typed == "" or typed not in str(caught.value)


def test_old_codes_are_dropped(people: Database, codes: DriverIdentity, wall: FixedClock) -> None:
    codes.send_code(PHONE)
    wall.advance(3601)
    (tidy,) = tasks(people)
    tidy.handler({})
    with people.read() as connection:
        assert connection.scalar(text("select count(*) from people.driver_code")) == 0
