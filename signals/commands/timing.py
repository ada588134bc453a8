"""``timing``: Webster's cycle and splits for a junction's stages."""

from collections.abc import Sequence
from typing import Final

from pydantic import Field, JsonValue
from pydantic import ValidationError as SchemaError

from city.command_line import CommandLine
from city.errors import Invalid
from signals.rules.documents import Document, GroupDocument, group_of, plan_as_json, refusal
from signals.rules.junctions import FixedPlan, Stage
from signals.rules.timing import (
    MovementFlow,
    StageDemand,
    StageTiming,
    Timing,
    critical_flow_ratio,
    mean_delay_s,
    time_stages,
)

SUMMARY: Final = "time a junction's stages: Webster's cycle, equally saturated greens"

_EXAMPLE: Final = """python -m signals timing junction.json

junction.json:
  {"stages": [
     {"name": "north-south", "min_green_s": 12, "groups": ["ns", "cross-east"],
      "movements": [{"flow_vph": 640, "saturation_flow_vph": 1800},
                    {"flow_vph": 510, "saturation_flow_vph": 1800}]},
     {"name": "east-west", "min_green_s": 12, "groups": ["ew"],
      "movements": [{"flow_vph": 420, "saturation_flow_vph": 1700}]}],
   "groups": [{"name": "ns", "kind": "vehicle"}, {"name": "ew", "kind": "vehicle"},
              {"name": "cross-east", "kind": "pedestrian", "flashing_green_s": 8}]}
  per stage also: yellow_s (3), all_red_s (2), lost_s (2.0), or flow_ratio instead of movements;
  beside stages: min_cycle_s (30), max_cycle_s (180), offset_s (0); groups may be left out"""


class _MovementDocument(Document):
    flow_vph: float
    saturation_flow_vph: float


class _StageDocument(Document):
    name: str = Field(min_length=1, max_length=40)
    min_green_s: int
    yellow_s: int = 3
    all_red_s: int = 2
    lost_s: float = 2.0
    flow_ratio: float | None = None
    movements: list[_MovementDocument] | None = None
    groups: list[str] = Field(default_factory=list)


class _JunctionDocument(Document):
    stages: list[_StageDocument] = Field(max_length=32)
    groups: list[GroupDocument] = Field(default_factory=list)
    min_cycle_s: int = 30
    max_cycle_s: int = Field(180, le=600)
    offset_s: int = 0


def run(arguments: Sequence[str]) -> int:
    """Print the timing of the file's junction; return 0, or 2 where it cannot be timed."""
    line = CommandLine("signals", "timing", SUMMARY, _EXAMPLE)
    line.add_argument("file", metavar="FILE.json", help="demand of the stages; - reads stdin")
    given = line.parse_args(arguments)
    try:
        document = _JunctionDocument.model_validate(line.read_json(given.file))
    except SchemaError as error:
        raise refusal(error) from None
    line.answer(_timed(document))
    return 0


def _timed(document: _JunctionDocument) -> dict[str, JsonValue]:
    movements = [_movements(stage) for stage in document.stages]
    timing = time_stages(
        [
            StageDemand(
                stage.name,
                _flow_ratio(stage, flows),
                stage.min_green_s,
                stage.yellow_s,
                stage.all_red_s,
                stage.lost_s,
            )
            for stage, flows in zip(document.stages, movements, strict=True)
        ],
        min_cycle_s=document.min_cycle_s,
        max_cycle_s=document.max_cycle_s,
    )
    result: dict[str, JsonValue] = {
        "cycle_s": timing.cycle_s,
        "optimum_cycle_s": round(timing.optimum_cycle_s, 2),
        "lost_time_s": timing.lost_time_s,
        "flow_ratio": round(timing.flow_ratio, 4),
        "degree_of_saturation": round(timing.degree_of_saturation, 4),
        "stages": [
            _stage(timing, stage, flows)
            for stage, flows in zip(timing.stages, movements, strict=True)
        ],
    }
    if document.groups:
        result["plan"] = plan_as_json(_plan(document, timing))
    return result


def _movements(stage: _StageDocument) -> list[MovementFlow]:
    return [
        MovementFlow(movement.flow_vph, movement.saturation_flow_vph)
        for movement in stage.movements or ()
    ]


def _flow_ratio(stage: _StageDocument, movements: Sequence[MovementFlow]) -> float:
    if (stage.flow_ratio is None) == (stage.movements is None):
        raise Invalid("must carry either flow_ratio or movements", field=f"stages.{stage.name}")
    return critical_flow_ratio(movements) if stage.flow_ratio is None else stage.flow_ratio


def _stage(
    timing: Timing, stage: StageTiming, movements: Sequence[MovementFlow]
) -> dict[str, JsonValue]:
    delays: list[JsonValue] = [
        round(mean_delay_s(timing.cycle_s, stage.effective_green_s, movement), 1)
        for movement in movements
    ]
    return {
        "name": stage.name,
        "green_s": stage.green_s,
        "yellow_s": stage.yellow_s,
        "all_red_s": stage.all_red_s,
        "effective_green_s": stage.effective_green_s,
        "degree_of_saturation": round(stage.degree_of_saturation, 4),
        "mean_delay_s": delays,
    }


def _plan(document: _JunctionDocument, timing: Timing) -> FixedPlan:
    return FixedPlan(
        groups=tuple(group_of(group) for group in document.groups),
        stages=tuple(
            Stage(timed.name, tuple(stage.groups), timed.green_s, timed.yellow_s, timed.all_red_s)
            for stage, timed in zip(document.stages, timing.stages, strict=True)
        ),
        offset_s=document.offset_s,
    )
