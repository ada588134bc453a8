"""What every business event is, and how it travels."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, JsonValue
from pydantic import ValidationError as SchemaError

from city.errors import Invalid
from city.identifiers import EventId, uuid7
from city.time import as_utc

UtcInstant = Annotated[AwareDatetime, AfterValidator(as_utc)]
"""An instant of an event: an offset is required, UTC is kept."""

_registered: dict[tuple[str, int], "type[BusinessEvent]"] = {}


def _new_event_id() -> EventId:
    return EventId(uuid7())


class BusinessEvent(BaseModel):
    """A fact that became true in the transaction that announced it.

    A change of an event's fields is a new version: the old class stays for as long as jobs that
    carry it may be waiting. Handlers are idempotent by ``event_id``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_timedelta="iso8601")

    type: ClassVar[str]
    """Name of the fact: ``parking.session-opened``."""
    version: ClassVar[int]
    """Version of the fields, from 1."""

    event_id: EventId = Field(default_factory=_new_event_id)
    occurred_at: UtcInstant
    """Business time at which it became true, from the unit of work's clock."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: object) -> None:
        """Enter the event into the register; two events of one name and version are a mistake."""
        super().__pydantic_init_subclass__(**kwargs)
        key = (cls.type, cls.version)
        if _registered.setdefault(key, cls).__qualname__ != cls.__qualname__:
            raise TypeError(f"{key} is already {_registered[key].__qualname__}")

    def envelope(self) -> dict[str, JsonValue]:
        """Give the JSON form, the arguments of a handler's job: type, version, event."""
        return {
            "event_type": self.type,
            "event_version": self.version,
            "event": self.model_dump(mode="json"),
        }

    @classmethod
    def opened(cls, envelope: Mapping[str, JsonValue]) -> Self:
        """Read an envelope back into its event.

        Called on ``BusinessEvent`` it reads any registered event (the producing room's module
        has to be imported); called on an event's class it reads that one only.

        Raises
        ------
        Invalid
            Where the envelope is malformed, of no known type and version, or not of this class.
        """
        name, version = envelope.get("event_type"), envelope.get("event_version")
        if not isinstance(name, str) or not isinstance(version, int):
            raise Invalid("must carry event_type and event_version", field="envelope")
        event = _registered.get((name, version))
        if event is None or not issubclass(event, cls):
            raise Invalid(f"has no known event {name!r} of version {version}", field="envelope")
        try:
            return event.model_validate(envelope.get("event"))
        except SchemaError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(step) for step in ("event", *first["loc"]))
            raise Invalid(first["msg"], field=place) from None


def registered_events() -> dict[tuple[str, int], type[BusinessEvent]]:
    """Give every event whose module is imported, by type and version."""
    return dict(_registered)
