"""People, devices and integrations: who acts, what they may do, how they prove it.

``Actor`` and ``Role`` are values that every room may hold; the use cases stand in
``city.people.services``, apart from them, because the audit record names actors and the use
cases write to it.
"""

from city.people.actors import SYSTEM, Actor, ActorKind
from city.people.roles import Role

__all__ = ["SYSTEM", "Actor", "ActorKind", "Role"]
