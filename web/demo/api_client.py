"""A small client of Greenbay's own HTTP API, for the demo's attendants."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TIMEOUT_S = 10.0
LONGEST_PROBLEM_BYTES = 4_000


class ApiError(Exception):
    """The API said no, or could not be reached.

    Attributes
    ----------
    status
        HTTP status; None where there was no answer.
    told
        Members of the problem that it told (RFC 9457); none where it told none.
    """

    def __init__(self, status: int | None, detail: str) -> None:
        super().__init__(f"{status or 'no answer'}: {detail}")
        self.status = status
        self.told: dict[str, Any] = {}
        with suppress(ValueError):
            told = json.loads(detail)
            self.told = told if isinstance(told, dict) else {}


class ApiClient:
    """Calls the API as the bearer of one token.

    Parameters
    ----------
    origin
        Scheme, host and port of the API.
    token
        Whose.
    before
        Called before every request: it may wait.
    """

    def __init__(self, origin: str, token: str, before: Callable[[], None]) -> None:
        self._origin = origin
        self._token = token
        self._before = before

    def get(self, path: str, **query: object) -> dict[str, Any]:
        """Read something."""
        wanted = {name: value for name, value in query.items() if value is not None}
        return self._call("GET", f"{path}?{urlencode(wanted)}" if wanted else path, None, {})

    def post(self, path: str, body: dict[str, Any], key: str) -> dict[str, Any]:
        """Do something, once for each key however often it is sent."""
        return self._call("POST", path, json.dumps(body).encode(), {"Idempotency-Key": key})

    def send(
        self, path: str, data: bytes, signed: Mapping[str, str], *, in_person: bool
    ) -> dict[str, Any]:
        """Send what a terminal signed, alone or with the token of whoever holds it."""
        return self._call("POST", path, data, signed, in_person=in_person)

    def _call(
        self,
        method: str,
        path: str,
        data: bytes | None,
        headers: Mapping[str, str],
        *,
        in_person: bool = True,
    ) -> dict[str, Any]:
        self._before()
        person = {"Authorization": f"Bearer {self._token}"} if in_person else {}
        request = urllib.request.Request(  # noqa: S310 - the address is our own API's
            self._origin + path,
            data=data,
            method=method,
            headers={"Content-Type": "application/json", **person, **headers},
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 - as above
                found: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                detail = error.read(LONGEST_PROBLEM_BYTES).decode("utf-8", "replace")
            raise ApiError(error.code, detail) from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise ApiError(None, str(error)) from error
        return found
