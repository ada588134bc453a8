"""Passwords: argon2id, strong enough to be set, slow enough to guess."""

from __future__ import annotations

import time

import pytest
from argon2 import PasswordHasher, extract_parameters

from city.errors import Invalid
from city.people import passwords

GOOD = "river willow 27"


def test_a_password_is_kept_as_argon2id_with_the_stated_parameters() -> None:
    kept = passwords.hash_password(GOOD)
    found = extract_parameters(kept)
    assert kept.startswith("$argon2id$")
    assert (found.memory_cost, found.time_cost, found.parallelism) == (32_768, 3, 1)


def test_only_the_right_password_passes() -> None:
    kept = passwords.hash_password(GOOD)
    assert passwords.check_password(kept, GOOD)
    assert not passwords.check_password(kept, GOOD + " ")
    assert not passwords.check_password(kept, "")
    assert not passwords.check_password(kept, GOOD + "x" * 300)


def test_an_unknown_account_costs_as_much_as_a_known_one() -> None:
    kept = passwords.hash_password(GOOD)
    passwords.check_password(None, GOOD)  # makes the dummy

    def cost_s(known: str | None) -> float:
        # The processor's time, and the least of it: a busy machine adds to the rest.
        times = []
        for _ in range(5):
            begun = time.process_time()
            assert not passwords.check_password(known, "a wrong password")
            times.append(time.process_time() - begun)
        return min(times)

    assert 0.5 < cost_s(None) / cost_s(kept) < 2.0


def test_nobody_has_the_password_of_the_dummy() -> None:
    assert not passwords.check_password(None, "the account that does not exist")


def test_a_password_typed_in_another_normal_form_is_the_same() -> None:
    kept = passwords.hash_password("café am Fluss 27")
    assert passwords.check_password(kept, "cafe\u0301 am Fluss 27")


def test_a_hash_with_other_parameters_is_outdated() -> None:
    assert passwords.is_outdated(PasswordHasher(time_cost=1, memory_cost=8192).hash(GOOD))
    assert not passwords.is_outdated(passwords.hash_password(GOOD))


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("short 27 wi", "12 to 256"),
        ("x" * 257, "12 to 256"),
        ("abababababababab", "different"),
        ("my login is Lin.Mei 1", "login"),
    ],
)
def test_a_weak_password_is_refused(password: str, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        passwords.require_strong(password, login="lin.mei")


def test_a_long_sentence_is_a_fine_password() -> None:
    passwords.require_strong("河边的柳树有二十七片叶子落下", login="lin.mei")
