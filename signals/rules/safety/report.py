"""What a safety check found."""

from dataclasses import dataclass

from pydantic import JsonValue

from signals.rules.safety.profiles import Profile, Rule


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that must not go on the street."""

    rule: Rule
    source: str
    junction: str
    plan: str
    groups: tuple[str, ...]
    what: str
    """In words: which movements, and what is wrong."""
    at_s: float | None = None
    """Where in the cycle, from the start of the first interval."""
    shown: float | None = None
    """What the plan has."""
    required: float | None = None
    """What the rule asks for."""
    unit: str = "s"

    @property
    def short(self) -> float | None:
        """By how much the rule is missed."""
        if self.shown is None or self.required is None:
            return None
        return round(abs(self.required - self.shown), 3)


@dataclass(frozen=True, slots=True)
class Note:
    """What an engineer should know and no rule of the profile forbids."""

    junction: str
    plan: str
    what: str


@dataclass(frozen=True, slots=True)
class SafetyReport:
    """Every violation and note of some plans under one profile."""

    profile: Profile
    plans: int
    violations: tuple[Violation, ...]
    notes: tuple[Note, ...] = ()

    @property
    def safe(self) -> bool:
        """Whether nothing was found."""
        return not self.violations

    def as_json(self) -> dict[str, JsonValue]:
        """Give the report's document."""
        counts: dict[str, int] = {}
        for violation in self.violations:
            counts[violation.rule.value] = counts.get(violation.rule.value, 0) + 1
        return {
            "safe": self.safe,
            "profile": self.profile.name,
            "plans": self.plans,
            "counts": dict[str, JsonValue](counts),
            "violations": [_violation(violation) for violation in self.violations],
            "notes": [
                {"junction": note.junction, "plan": note.plan, "what": note.what}
                for note in self.notes
            ],
            "rules": {rule.value: source for rule, source in self.profile.sources.items()},
        }


def _violation(violation: Violation) -> dict[str, JsonValue]:
    return {
        "rule": violation.rule.value,
        "source": violation.source,
        "junction": violation.junction,
        "plan": violation.plan,
        "groups": list[JsonValue](violation.groups),
        "what": violation.what,
        "at_s": _rounded(violation.at_s),
        "shown": _rounded(violation.shown),
        "required": _rounded(violation.required),
        "unit": violation.unit,
        "short_by": violation.short,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
