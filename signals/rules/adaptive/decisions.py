"""What adaptive control decided, on what grounds, in one line."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """What decides."""

    ADAPTIVE = "adaptive"
    ACTUATED = "actuated"
    PLAN = "plan"


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, and on what grounds; told in one line."""

    stage: int
    level: Level
    keeps_s: float = 0.0
    """Vehicle-seconds that keeping the green saves, negative where leaving it does."""
    waited: str = ""
    """Lane whose wait decided."""
    waited_s: float = 0.0
    whom: str = ""
    """Who has priority and decided."""

    def says(self, shown: int) -> str:
        """Tell it."""
        act = f"{shown} goes on" if self.stage == shown else f"{shown} to {self.stage}"
        if self.level is not Level.ADAPTIVE:
            return f"{act}: {self.level.value}, detectors fail"
        if self.whom:
            return f"{act}: for {self.whom}"
        if self.waited:
            return f"{act}: {self.waited} has waited {self.waited_s:.0f} s"
        if self.stage == shown:
            return f"{act}: that saves {self.keeps_s:.0f} s of waiting"
        return f"{act}: keeping it would cost {-self.keeps_s:.0f} s of waiting"
