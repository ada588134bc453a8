"""A line to the city's API: what a camera sends, under which credential."""

import json
import urllib.error
import urllib.request
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pydantic import JsonValue

from city.errors import Invalid, Unavailable

TIMEOUT_S: Final = 3.0


class Refused(Unavailable):
    """What was sent is not taken; sent again it would not be, either."""


class Line:
    """Where reads go, under which credential."""

    def __init__(self, address: str, token_file: Path, option: str) -> None:
        parts = urlsplit(address)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            raise Invalid("must be http:// or https://", field=option)
        try:
            self._token = token_file.read_text("ascii").strip()
        except (OSError, ValueError):
            raise Invalid("cannot be read", field="--token-file") from None
        self._address = address.rstrip("/")

    def post(self, path: str, body: JsonValue, to: str) -> dict[str, JsonValue]:
        """Send something; give the answer.

        Raises
        ------
        Unavailable
            Where it could not be sent; `Refused` where it would be refused again.
        """
        request = urllib.request.Request(  # noqa: S310 - checked above: http or https
            f"{self._address}/{path}",
            data=json.dumps(body).encode(),
            method="POST",
            headers={
                "Authorization": f"Bearer {self._token}",
                "Content-Type": "application/json",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 - as above
                told: dict[str, JsonValue] = json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                # A server's own trouble passes, and so does being asked too often.
                passing = error.code >= HTTPStatus.INTERNAL_SERVER_ERROR
                passing = passing or error.code == HTTPStatus.TOO_MANY_REQUESTS
                kind = Unavailable if passing else Refused
                raise kind(f"{to} refused what was sent: {error.code}") from None
        except (OSError, ValueError):
            raise Unavailable(f"{to} cannot be reached") from None
        return told
