"""Passwords of people: argon2id, with parameters that make one check cost 50 to 100 ms here.

Measured on 2 shared cores with argon2-cffi 25.1: 32 MiB, 3 passes, 1 lane take 90 ms (median
of 7; the library's own defaults 130 ms there). That is above OWASP's floor of 19 MiB and 2 passes.
At most two checks run at once in a process, so that a storm of log-ins costs at most 64 MiB and
cannot starve the other threads. A hash made with other parameters is made anew at the next
log-in.
"""

import threading
import unicodedata
from functools import cache

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from city.errors import Invalid, Unavailable

MEMORY_KIB = 32 * 1024
PASSES = 3
LANES = 1
CHECKS_AT_ONCE = 2
WAIT_FOR_CHECK_S = 5.0

SHORTEST = 12
LONGEST = 256
FEWEST_DIFFERENT = 5

_hasher = PasswordHasher(
    time_cost=PASSES,
    memory_cost=MEMORY_KIB,
    parallelism=LANES,
    hash_len=32,
    salt_len=16,
    type=Type.ID,
)
_running = threading.BoundedSemaphore(CHECKS_AT_ONCE)


def _prepared(password: str) -> str:
    # The same password typed on another keyboard may arrive in another normal form.
    return unicodedata.normalize("NFKC", password)


class _Turn:
    """One of the places in which a hash may be computed."""

    def __enter__(self) -> None:
        if not _running.acquire(timeout=WAIT_FOR_CHECK_S):
            raise Unavailable("too many log-ins at this moment", retry_after_s=5)

    def __exit__(self, *_: object) -> None:
        _running.release()


def require_strong(password: str, *, login: str, field: str = "password") -> None:
    """Raise Invalid where a password is too weak to be set.

    Length counts, not composition (NIST SP 800-63B): 12 to 256 characters, at least 5 of them
    different, the login not among them.
    """
    prepared = _prepared(password)
    if not SHORTEST <= len(prepared) <= LONGEST:
        raise Invalid(f"must have {SHORTEST} to {LONGEST} characters", field=field)
    if len(set(prepared)) < FEWEST_DIFFERENT:
        raise Invalid(f"must have at least {FEWEST_DIFFERENT} different characters", field=field)
    if login and login.casefold() in prepared.casefold():
        raise Invalid("must not contain the login", field=field)


def hash_password(password: str) -> str:
    """Hash a password for keeping; costs about 90 ms."""
    with _Turn():
        return _hasher.hash(_prepared(password))


@cache
def _nobody() -> str:
    return _hasher.hash("the account that does not exist")


def check_password(kept: str | None, password: str) -> bool:
    """Say whether a password is the one that was hashed.

    Parameters
    ----------
    kept : str or None
        The hash; None where there is no such account: a check against a dummy hash then costs
        the same time and fails, so that timing does not tell which logins exist.
    password : str
        What was typed; longer than 256 characters never matches, at the same cost.
    """
    prepared = _prepared(password[: LONGEST + 1])
    with _Turn():
        try:
            _hasher.verify(kept or _nobody(), prepared)
        except (VerificationError, InvalidHashError):
            return False
    return kept is not None and len(prepared) <= LONGEST


def is_outdated(kept: str) -> bool:
    """Say whether a hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(kept)
