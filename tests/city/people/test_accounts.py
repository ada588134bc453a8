"""Accounts of staff: who may have one, and how they are changed and shut."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from city import audit
from city.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from city.identifiers import AccountId, uuid7
from city.people import SYSTEM, Actor, Role, services

if TYPE_CHECKING:
    from collections.abc import Callable

    from city.time import FixedClock
    from city.works.database import Database, UnitOfWork

pytestmark = pytest.mark.usefixtures("quick_hashes")

PASSWORD = "river willow 27"
OTHER_PASSWORD = "another willow 28"


def create(
    people: Database, login: str = "lin.mei", *roles: str, districts: list[str] | None = None
) -> AccountId:
    with people.unit_of_work() as uow:
        return services.create_account(
            uow, login, "Lin Mei", roles or ("attendant",), PASSWORD, districts=districts
        )


def can_log_in(people: Database, login: str = "lin.mei", password: str = PASSWORD) -> bool:
    try:
        with people.unit_of_work() as uow:
            services.log_in(uow, login, password, "203.0.113.7")
    except Unauthenticated:
        return False
    return True


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("login", "li"),
        ("login", "lin mei"),
        ("login", "lin<b>"),
        ("login", "x" * 65),
        ("name", ""),
        ("name", "Lin\x00"),
        ("name", "x" * 121),
        ("roles", []),
        ("roles", ["king"]),
        ("roles", ["driver"]),
        ("password", "short"),
    ],
)
def test_an_account_that_is_not_as_it_must_be_is_refused(
    people: Database, field: str, value: Any
) -> None:
    good = {"login": "lin", "name": "Lin", "roles": ["attendant"], "password": PASSWORD}
    with pytest.raises(Invalid) as caught, people.unit_of_work() as uow:
        services.create_account(uow, **(good | {field: value}))
    assert caught.value.field == field


def test_a_login_is_taken_whatever_its_case_and_the_transaction_goes_on(people: Database) -> None:
    create(people)
    with people.unit_of_work() as uow:
        with pytest.raises(Conflict):
            services.create_account(uow, "LIN.Mei", "Lin", ["finance"], PASSWORD)
        services.create_account(uow, "wang", "Wang", ["finance"], PASSWORD)
        assert len(services.accounts(uow.connection)) == 2


def test_an_account_may_be_of_some_districts_only(people: Database) -> None:
    create(people, "lin.mei", "attendant", districts=["0153", "0154"])
    with people.unit_of_work() as uow:
        actor = services.log_in(uow, "lin.mei", PASSWORD, "203.0.113.7").actor
    assert actor.districts == frozenset({"0153", "0154"})
    assert actor.in_district("0153")
    assert not actor.in_district("0155")
    with pytest.raises(Invalid, match="districts"):
        create(people, "wang", districts=["East!"])


def test_disabling_an_account_ends_its_sessions_and_tokens(people: Database) -> None:
    account_id = create(people)
    with people.unit_of_work() as uow:
        grant = services.log_in(uow, "lin.mei", PASSWORD, "203.0.113.7")
        token = services.issue_token(uow, "api", str(account_id), ["attendant"])
    with people.unit_of_work() as uow:
        services.disable_account(uow, account_id)
        services.disable_account(uow, account_id)
    with people.read() as connection:
        assert services.session_actor(connection, grant.token, people.wall) is None
        assert services.token_actor(connection, token) is None
        (record,) = audit.records(
            connection, filters=audit.RecordFilter(action="people.account_disabled")
        ).items
    assert record.detail == {"sessions": 1, "tokens": 1}
    assert not can_log_in(people)
    with people.unit_of_work() as uow:
        services.enable_account(uow, account_id)
    assert can_log_in(people)


def test_the_last_administrator_stays(people: Database) -> None:
    first = create(people, "first", "administrator")
    with pytest.raises(Conflict), people.unit_of_work() as uow:
        services.disable_account(uow, first)
    with pytest.raises(Conflict), people.unit_of_work() as uow:
        services.set_roles(uow, first, ["operator"])
    create(people, "second", "administrator", "operator")
    with people.unit_of_work() as uow:
        services.disable_account(uow, first)


def test_two_administrators_cannot_disable_each_other_at_once(people: Database) -> None:
    accounts = [create(people, "first", "administrator"), create(people, "second", "administrator")]
    refused: list[Conflict] = []

    def disable(account_id: AccountId) -> None:
        try:
            with people.unit_of_work() as uow:
                services.disable_account(uow, account_id)
        except Conflict as error:
            refused.append(error)

    threads = [threading.Thread(target=disable, args=(account,)) for account in accounts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1


def test_new_roles_hold_in_sessions_already_open(people: Database) -> None:
    account_id = create(people)
    with people.unit_of_work() as uow:
        grant = services.log_in(uow, "lin.mei", PASSWORD, "203.0.113.7")
        services.set_roles(uow, account_id, ["finance", "auditor"])
    with people.read() as connection:
        found = services.session_actor(connection, grant.token, people.wall)
    assert found is not None
    assert found[0].roles == frozenset({Role.FINANCE, Role.AUDITOR})


def test_a_changed_password_ends_all_other_sessions(people: Database) -> None:
    account_id = create(people)
    with people.unit_of_work() as uow:
        here = services.log_in(uow, "lin.mei", PASSWORD, "203.0.113.7")
        there = services.log_in(uow, "lin.mei", PASSWORD, "203.0.113.8")
    with pytest.raises(Unauthenticated), people.unit_of_work() as uow:
        services.change_password(uow, account_id, "wrong", OTHER_PASSWORD)
    with people.unit_of_work() as uow:
        services.change_password(
            uow, account_id, PASSWORD, OTHER_PASSWORD, session_token=here.token
        )
    with people.read() as connection:
        assert services.session_actor(connection, here.token, people.wall) is not None
        assert services.session_actor(connection, there.token, people.wall) is None
    assert not can_log_in(people)
    assert can_log_in(people, password=OTHER_PASSWORD)


def test_the_old_password_is_no_new_one(people: Database) -> None:
    account_id = create(people)
    with pytest.raises(Invalid), people.unit_of_work() as uow:
        services.change_password(uow, account_id, PASSWORD, PASSWORD)


def test_an_administrator_resets_a_password(people: Database) -> None:
    account_id = create(people)
    with people.unit_of_work() as uow:
        services.reset_password(uow, account_id, OTHER_PASSWORD)
    assert not can_log_in(people)
    assert can_log_in(people, password=OTHER_PASSWORD)


NOBODY = AccountId(uuid7())
CHANGES: dict[str, Callable[[UnitOfWork], None]] = {
    "disable": lambda uow: services.disable_account(uow, NOBODY),
    "enable": lambda uow: services.enable_account(uow, NOBODY),
    "roles": lambda uow: services.set_roles(uow, NOBODY, ["finance"]),
    "reset": lambda uow: services.reset_password(uow, NOBODY, OTHER_PASSWORD),
    "change": lambda uow: services.change_password(uow, NOBODY, PASSWORD, OTHER_PASSWORD),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_no_account_cannot_be_changed(people: Database, change: str) -> None:
    with pytest.raises(NotFound), people.unit_of_work() as uow:
        CHANGES[change](uow)


def test_a_token_opens_to_its_kind_subject_roles_and_districts(people: Database) -> None:
    with people.unit_of_work() as uow:
        ttn = services.issue_token(uow, "integration", "ttn", scope=["0153"])
        devices = services.issue_tokens(uow, "device", [f"dev-{n}" for n in range(3)])
    with people.read() as connection:
        assert services.token_actor(connection, ttn) == Actor(
            "integration", "ttn", None, frozenset(), "ttn", frozenset({"0153"})
        )
        for subject, token in devices.items():
            found = services.token_actor(connection, token)
            assert found is not None
            assert (found.kind, found.subject, found.districts) == ("device", subject, None)
    assert len({ttn, *devices.values()}) == 4
    assert {len(token) for token in [ttn, *devices.values()]} == {47}


def test_an_api_token_does_at_most_what_its_account_may(people: Database) -> None:
    account_id = create(people, "lin.mei", "finance", "auditor", districts=["0153", "0154"])
    with people.unit_of_work() as uow:
        token = services.issue_token(
            uow, "api", str(account_id), ["finance", "operator"], ["0154", "0155"]
        )
    with people.read() as connection:
        found = services.token_actor(connection, token)
    assert found == Actor(
        "person",
        str(account_id),
        account_id,
        frozenset({Role.FINANCE}),
        "Lin Mei",
        frozenset({"0154"}),
    )
    with people.unit_of_work() as uow:
        services.set_roles(uow, account_id, ["auditor"])
    with people.read() as connection:
        found = services.token_actor(connection, token)
    assert found is not None
    with pytest.raises(Forbidden):
        found.require(Role.FINANCE)


@pytest.mark.parametrize(
    ("kind", "subject", "roles", "field"),
    [
        ("king", "x", [], "kind"),
        ("device", "", [], "subject"),
        ("device", "x" * 121, [], "subject"),
        ("integration", "x", ["king"], "roles"),
        ("api", "x", ["finance"], "subject"),
        ("api", "01933f00-0000-7000-8000-000000000001", ["finance"], "subject"),
        ("api", "01933f00-0000-7000-8000-000000000001", [], "roles"),
    ],
)
def test_a_token_that_makes_no_sense_is_not_issued(
    people: Database, kind: str, subject: str, roles: list[str], field: str
) -> None:
    with pytest.raises(Invalid) as caught, people.unit_of_work() as uow:
        services.issue_token(uow, kind, subject, roles)  # type: ignore[arg-type] # a parameter's text
    assert caught.value.field == field


def test_a_revoked_or_expired_token_opens_nothing(people: Database, wall: FixedClock) -> None:
    with people.unit_of_work() as uow:
        revoked = services.issue_token(uow, "device", "dev-1")
        # Expiry goes by the database's own wall time, far from the test's.
        expired = services.issue_token(
            uow, "device", "dev-2", expires_at=wall.now().replace(year=2001)
        )
        held = services.issue_token(
            uow, "device", "dev-3", expires_at=wall.now().replace(year=2999)
        )
        by_subject = {one.subject: one for one in services.credentials(uow.connection)}
        services.revoke_token(uow, by_subject["dev-1"].credential_id)
        services.revoke_token(uow, by_subject["dev-1"].credential_id)
    with people.read() as connection:
        assert services.token_actor(connection, revoked) is None
        assert services.token_actor(connection, expired) is None
        assert services.token_actor(connection, held) is not None
        revocations = audit.records(
            connection, filters=audit.RecordFilter(action="people.token_revoked")
        ).items
    assert len(revocations) == 1


def test_all_tokens_of_a_replaced_device_are_revoked(people: Database) -> None:
    with people.unit_of_work() as uow:
        tokens = [services.issue_token(uow, "device", "dev-1") for _ in range(2)]
        assert services.revoke_subject(uow, "device", "dev-1", by=SYSTEM) == 2
        assert services.revoke_subject(uow, "device", "dev-1", by=SYSTEM) == 0
    with people.read() as connection:
        assert [services.token_actor(connection, token) for token in tokens] == [None, None]


def test_an_issued_token_stands_nowhere(people: Database) -> None:
    with people.unit_of_work() as uow:
        token = services.issue_token(uow, "integration", "ttn")
    with people.read() as connection:
        kept = repr(services.credentials(connection)) + repr(audit.records(connection))
    assert token not in kept
    assert token[4:] not in kept
