"""Actors: who does something, as the rooms and the audit record see them."""

from dataclasses import dataclass
from typing import Literal

from city.errors import Forbidden
from city.identifiers import AccountId
from city.people.roles import Role

ActorKind = Literal["person", "device", "integration", "system"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts.

    Parameters
    ----------
    kind : {"person", "device", "integration", "system"}
        A person, or something that acts by itself.
    subject : str
        Stable name in the audit record: the account's id, a device's key, an integration's name,
        the part of the system. Never a phone number or a plate.
    account_id : AccountId or None
        The account, of persons only.
    roles : frozenset of Role
        What they may do; empty for devices and for most integrations.
    name : str
        What pages call them.
    districts : frozenset of str or None
        Codes of the districts that they may act in; None for all.
    """

    kind: ActorKind
    subject: str
    account_id: AccountId | None
    roles: frozenset[Role]
    name: str
    districts: frozenset[str] | None = None

    def has_any(self, *roles: Role) -> bool:
        """Say whether the actor has at least one of the roles."""
        return not self.roles.isdisjoint(roles)

    def require(self, *roles: Role) -> None:
        """Raise Forbidden unless the actor has at least one of the roles."""
        if not self.has_any(*roles):
            raise Forbidden(
                "your roles do not allow this", roles_needed=[str(role) for role in sorted(roles)]
            )

    def in_district(self, code: str) -> bool:
        """Say whether the actor may act in the district."""
        return self.districts is None or code in self.districts


SYSTEM = Actor("system", "greenbay", None, frozenset(), "Greenbay")


def system_actor(part: str) -> Actor:
    """Name a part of the system as actor, such as ``vault.rotation``."""
    return Actor("system", part, None, frozenset(), part)
