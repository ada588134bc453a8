"""What the rest of the system asks of people: the use cases, in one place.

Wall time throughout. Functions that change something take a `UnitOfWork` first, functions that
only read a `Connection`.
"""

from city.people.accounts import (
    change_password,
    create_account,
    disable_account,
    enable_account,
    reset_password,
    set_roles,
)
from city.people.credentials import (
    issue_token,
    issue_tokens,
    revoke_subject,
    revoke_token,
    token_actor,
)
from city.people.drivers import log_in_driver
from city.people.identity import DriverIdentity, WalletIdentity, parse_phone
from city.people.local_codes import LocalPhoneCodes
from city.people.sessions import (
    LiveSession,
    SessionGrant,
    log_in,
    log_out,
    log_out_everywhere,
    read_session,
    refresh_session,
    session_actor,
)
from city.people.store import Account, Credential, account_names, accounts, credentials
from city.people.tokens import csrf_matches

__all__ = [
    "Account",
    "Credential",
    "DriverIdentity",
    "LiveSession",
    "LocalPhoneCodes",
    "SessionGrant",
    "WalletIdentity",
    "account_names",
    "accounts",
    "change_password",
    "create_account",
    "credentials",
    "csrf_matches",
    "disable_account",
    "enable_account",
    "issue_token",
    "issue_tokens",
    "log_in",
    "log_in_driver",
    "log_out",
    "log_out_everywhere",
    "parse_phone",
    "read_session",
    "refresh_session",
    "reset_password",
    "revoke_subject",
    "revoke_token",
    "session_actor",
    "set_roles",
    "token_actor",
]
