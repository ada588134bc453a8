"""Tokens: 256 random bits, shown once, kept as SHA-256 and found by it.

A random token needs no slow hash: nobody can guess 256 bits. Look-up is by the digest in an
index, so that what its timing could tell is about the digest and not about the token.
"""

import base64
import hashlib
import hmac
import secrets

_BYTES = 32
_LONGEST = 128
_CSRF = b"greenbay/csrf/v1"


def new_token(prefix: str) -> str:
    """Make a token: a prefix that secret scanners can find, then 43 characters of base64url."""
    return f"{prefix}_{secrets.token_urlsafe(_BYTES)}"


def digest(token: str) -> bytes:
    """Give the SHA-256 under which a token is kept; 32 bytes."""
    return hashlib.sha256(token[:_LONGEST].encode("utf-8", "replace")).digest()


def csrf_token(session_token: str) -> str:
    """Derive the CSRF token that belongs to a page session.

    It is an HMAC keyed by the session's own token: bound to that session alone, nothing to
    store, and of no use to whoever reads the database.
    """
    mac = hmac.digest(session_token[:_LONGEST].encode("utf-8", "replace"), _CSRF, "sha256")
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode("ascii")


def csrf_matches(session_token: str, sent: str) -> bool:
    """Compare a CSRF token that was sent with the session's own, in constant time."""
    return hmac.compare_digest(
        csrf_token(session_token).encode("ascii"), sent.encode("utf-8", "replace")
    )
