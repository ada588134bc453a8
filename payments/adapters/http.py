"""One request to a channel: bounded in time and in size, over a connection of its own.

A connection that was kept open and closed by the other end meanwhile could not be told from a
request that was done and not answered; to a channel, that difference is money.
"""

import http.client
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from city.errors import Invalid

WITHIN_S: Final = 10.0
LARGEST_ANSWER_BYTES: Final = 1024 * 1024
LARGEST_BILL_BYTES: Final = 1024 * 1024 * 1024


class NoAnswer(Exception):
    """Nothing came back that can be believed: what was asked for may be done or not.

    Parameters
    ----------
    reason : str
        One word for people.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def exchange(
    method: str,
    url: str,
    *,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    largest_bytes: int = LARGEST_ANSWER_BYTES,
) -> Reply:
    """Send a request and read all of its answer; redirects are not followed.

    Raises
    ------
    NoAnswer
        On anything that keeps the answer away, and on one larger than may be.
    """
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    line: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context()
        line = http.client.HTTPSConnection(parts.netloc, timeout=WITHIN_S, context=context)
    else:
        line = http.client.HTTPConnection(parts.netloc, timeout=WITHIN_S)
    try:
        line.request(method, target, body=body or None, headers=dict(headers or {}))
        answer = line.getresponse()
        content = answer.read(largest_bytes + 1)
    except TimeoutError:
        raise NoAnswer("timeout") from None
    except (OSError, http.client.HTTPException):
        raise NoAnswer("no-connection") from None
    finally:
        line.close()
    if len(content) > largest_bytes:
        raise NoAnswer("too-large")
    return Reply(answer.status, dict(answer.getheaders()), content)


def address_of(url: str, field: str) -> str:
    """Check a channel's or a notification's address; Invalid where it is none.

    Plain HTTP is taken for this machine alone: a gateway of one's own.
    """
    try:
        parts = urlsplit(url)
        known = bool(parts.hostname) and parts.port != 0 and not parts.query
    except ValueError:
        raise Invalid("is not an address", field=field) from None
    local = parts.hostname in {"127.0.0.1", "localhost", "::1"}
    if not known or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        raise Invalid("must be an https address", field=field)
    return url.rstrip("/")
