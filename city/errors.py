"""The error tree of the whole system, drawn once; the web layer maps it to problems once.

An error carries a message for people, the input field that it is about where there is one,
and details that may be shown to the caller. Never put a plate, a secret or a personal datum
into any of the three: they reach logs and responses.
"""

from typing import ClassVar

from pydantic import JsonValue


class CityError(Exception):
    """Something that the caller is told about.

    Parameters
    ----------
    message : str
        One sentence for people, in English, without a trailing full stop.
    field : str or None
        Name of the input field at fault, dotted where it is nested.
    **details : JsonValue
        Further facts, shown to the caller as they are.
    """

    code: ClassVar[str] = "city-error"

    def __init__(self, message: str, *, field: str | None = None, **details: JsonValue) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.details: dict[str, JsonValue] = details

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


class NotFound(CityError):
    """There is no such thing, or the caller may not know that there is."""

    code = "not-found"


class Conflict(CityError):
    """The request contradicts what already stands."""

    code = "conflict"


class Invalid(CityError):
    """The input breaks a rule, which the message names."""

    code = "invalid"


class Forbidden(CityError):
    """The caller is known and may not do this."""

    code = "forbidden"


class Unauthenticated(Forbidden):
    """The caller has not shown who they are."""

    code = "unauthenticated"


class Unavailable(CityError):
    """It cannot be done now; trying again later may work.

    Parameters
    ----------
    message : str
        One sentence for people.
    retry_after_s : int
        Seconds after which another try makes sense; at least 1.
    field : str or None
        Name of the input field at fault, if any.
    **details : JsonValue
        Further facts.
    """

    code = "unavailable"

    def __init__(
        self,
        message: str,
        *,
        retry_after_s: int = 1,
        field: str | None = None,
        **details: JsonValue,
    ) -> None:
        super().__init__(message, field=field, **details)
        self.retry_after_s = max(1, retry_after_s)


class TooMany(Unavailable):
    """The caller asks more often than it may."""

    code = "too-many"
