"""Plans and approaches as JSON documents: what is stored, sent and read from files."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic import ValidationError as SchemaError

from city.errors import Invalid
from signals.rules.junctions import Approach, FixedPlan, GroupKind, SignalGroup, Stage


class Document(BaseModel):
    """A document whose members are all known."""

    model_config = ConfigDict(extra="forbid", strict=False)


class GroupDocument(Document):
    """A signal group."""

    name: str = Field(min_length=1, max_length=40)
    kind: GroupKind
    approach: str | None = None
    flashing_green_s: int = 3


class _StageDocument(Document):
    name: str = Field(min_length=1, max_length=40)
    groups: list[str]
    green_s: int
    yellow_s: int
    all_red_s: int


class _PlanDocument(Document):
    groups: list[GroupDocument]
    stages: list[_StageDocument]
    offset_s: int = 0


class _ApproachDocument(Document):
    name: str
    bearing_deg: float
    lanes: int
    link: str | None = None


class _ApproachesDocument(Document):
    approaches: list[_ApproachDocument]


def refusal(error: SchemaError) -> Invalid:
    """Turn a schema's error into ours, naming the first member at fault."""
    first = error.errors(include_url=False, include_input=False)[0]
    return Invalid(first["msg"], field=".".join(map(str, first["loc"])) or None)


def group_of(document: GroupDocument) -> SignalGroup:
    """Give the signal group of its document."""
    return SignalGroup(document.name, document.kind, document.approach, document.flashing_green_s)


def plan_as_json(plan: FixedPlan) -> dict[str, JsonValue]:
    """Give the document of a plan; ``plan_from_json`` of it equals the plan."""
    groups: list[JsonValue] = [
        {
            "name": group.name,
            "kind": group.kind.value,
            "approach": group.approach,
            "flashing_green_s": group.flashing_green_s,
        }
        for group in plan.groups
    ]
    stages: list[JsonValue] = [
        {
            "name": stage.name,
            "groups": list[JsonValue](stage.groups),
            "green_s": stage.green_s,
            "yellow_s": stage.yellow_s,
            "all_red_s": stage.all_red_s,
        }
        for stage in plan.stages
    ]
    return {"groups": groups, "stages": stages, "offset_s": plan.offset_s}


def plan_from_json(value: JsonValue) -> FixedPlan:
    """Read the document of a plan; Invalid names the first member at fault."""
    try:
        document = _PlanDocument.model_validate(value)
    except SchemaError as error:
        raise refusal(error) from None
    return FixedPlan(
        groups=tuple(group_of(group) for group in document.groups),
        stages=tuple(
            Stage(stage.name, tuple(stage.groups), stage.green_s, stage.yellow_s, stage.all_red_s)
            for stage in document.stages
        ),
        offset_s=document.offset_s,
    )


def approaches_as_json(approaches: Sequence[Approach]) -> list[JsonValue]:
    """Give the document of a junction's approaches."""
    return [
        {
            "name": approach.name,
            "bearing_deg": approach.bearing_deg,
            "lanes": approach.lanes,
            "link": approach.link,
        }
        for approach in approaches
    ]


def approaches_from_json(value: JsonValue) -> tuple[Approach, ...]:
    """Read the document of a junction's approaches; Invalid names the first member at fault."""
    try:
        document = _ApproachesDocument.model_validate({"approaches": value})
    except SchemaError as error:
        raise refusal(error) from None
    return tuple(
        Approach(approach.name, approach.bearing_deg, approach.lanes, approach.link)
        for approach in document.approaches
    )
