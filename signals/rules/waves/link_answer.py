"""What bands by link are: apart from the search for them, which loads SciPy."""

from dataclasses import dataclass

from signals.rules.waves.corridor import Coordination


@dataclass(frozen=True, slots=True)
class LinkBand:
    """A link's band: when it begins to leave the link's signal, and its width; 0: none."""

    begin: float
    width: float


@dataclass(frozen=True, slots=True)
class LinkCoordination:
    """A corridor's answer with bands by link: shares of the cycle unless a name ends in a unit.

    Attributes
    ----------
    plan
        Cycle, offsets, travel times and the bands that go through the whole street.
    outbound, inbound
        Of each link, in outbound order, from the first signal's reference point.
    objective, bound
        The weighted mean of the bands, and what it can be at most by proof.
    """

    plan: Coordination
    outbound: tuple[LinkBand, ...]
    inbound: tuple[LinkBand, ...]
    objective: float
    bound: float

    @property
    def gap(self) -> float:
        """How much more, as a share of the bound, the bands could be worth at most."""
        return 0.0 if self.bound <= 0 else max(0.0, (self.bound - self.objective) / self.bound)
