"""Business events: facts that other rooms may act on, one module per producing room.

Past tense, versioned, ids and kernel values only, never a plate. An event travels as an envelope
of JSON inside a job of the transaction that made it true.
"""

from city.events.base import BusinessEvent, UtcInstant, registered_events

__all__ = ["BusinessEvent", "UtcInstant", "registered_events"]
