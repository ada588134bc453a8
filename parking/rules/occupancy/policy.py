"""The numbers that folding decides by, with their units and reasons."""

from dataclasses import dataclass
from typing import Final

from city.errors import Invalid

_SECOND: Final = 1_000
_MINUTE: Final = 60 * _SECOND
_HOUR: Final = 60 * _MINUTE


@dataclass(frozen=True, slots=True)
class FoldingPolicy:
    """How evidence becomes a bay's state. Times in milliseconds, strengths in per mille.

    Raises
    ------
    Invalid
        Where the numbers contradict each other.
    """

    minimum_stay_ms: int = 30 * _SECOND
    """An occupied spell that ends sooner is a flicker: a lorry beside the bay, a car that
    manoeuvres, someone who stops and drives on. No tariff charges for it."""
    minimum_gap_ms: int = 10 * _SECOND
    """A free spell that ends sooner is a flicker. Shorter than a stay's: makers state 3 to 4 s of
    detection, and a longer one would join two quick cars and bill the second to the first."""
    strong_from: int = 600
    """A contrary word at least this strong flips the state by itself; below, it needs a second."""
    confirm_ms: int = 10 * _MINUTE
    """The second agreeing word has to come within this time of the first: the longest detection
    interval of the ultrasonic and magnetic models that we know."""
    contest_ms: int = 2 * _MINUTE
    """With two devices on a bay, a word counts as weak where another device said the contrary
    this recently and at least as strongly. Older words speak of an earlier car."""
    close_ms: int = 2 * _MINUTE
    """An instant that a device infers (a duration in whole minutes) is believed only where no
    real word was heard from this long before it on."""
    doubt: int = 250
    """Share of `sure` that one word of 'I cannot tell' takes away, per mille."""
    strength_max: int = 990
    """Cap of one word's strength. No sensor is certain: 96 to 99.6 % in the field."""
    lateness_ms: int = 30 * _MINUTE
    """How far behind the newest frame of its bay a frame may be in event time and still be folded
    in its place. Covers a gateway's or network server's outage with retries; a later one is
    counted and archived, not folded."""
    log_limit: int = 256
    """Observations of a bay kept for refolding. Only a device that sends every 7 s reaches it;
    then the window becomes shorter for its bay."""
    ahead_ms: int = 2 * _MINUTE
    """A frame dated further than this after its receipt carries a wrong clock: its time of
    receipt is taken. Otherwise one bad date would make every later frame look late."""
    stale_after_ms: int = 26 * _HOUR
    """Silence after which a bay is `unknown`: a daily heartbeat and two hours of delay. For
    models that `stale_after_by_model_ms` does not name."""
    stale_after_by_model_ms: tuple[tuple[str, int], ...] = ()
    """Pairs of model and time, for models whose heartbeat is set otherwise than daily."""

    def __post_init__(self) -> None:
        if not 0 < self.minimum_gap_ms <= self.close_ms:
            raise Invalid("must be positive and at most close_ms", field="minimum_gap_ms")
        if not 0 < self.minimum_stay_ms <= self.close_ms:
            raise Invalid("must be positive and at most close_ms", field="minimum_stay_ms")
        if not 0 < self.strong_from <= self.strength_max < 1000:  # noqa: PLR2004 - per mille
            raise Invalid("needs 0 < strong_from <= strength_max < 1000", field="strong_from")
        if min(self.lateness_ms, self.log_limit - 1, self.confirm_ms) < 1:
            raise Invalid("must be positive", field="lateness_ms")
        shortest_ms = min([self.stale_after_ms, *(ms for _, ms in self.stale_after_by_model_ms)])
        if shortest_ms <= max(self.close_ms, self.confirm_ms):
            raise Invalid("must exceed close_ms and confirm_ms", field="stale_after_ms")

    def stale_after(self, model: str) -> int:
        """Give the silence, in ms, after which a bay with a device of `model` is unknown."""
        return dict(self.stale_after_by_model_ms).get(model, self.stale_after_ms)


DEFAULT_POLICY: Final = FoldingPolicy()
