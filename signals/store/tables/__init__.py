"""The signals room's tables as SQLAlchemy Core sees them, by subject.

The truth is the migrations; a test compares the two. Constraints and indexes are the migration's
business and are not repeated here.
"""

from signals.store.tables.base import INSTANT, METADATA
from signals.store.tables.cabinets import alarm, cabinet, cabinet_act, override
from signals.store.tables.detections import (
    controller_event,
    detector,
    detector_bin,
    detector_count,
    finding,
    fold_mark,
    pass_lane,
    pass_mark,
    phase_bin,
    place,
    plate_pass,
    reading_rate,
    reporter,
)
from signals.store.tables.networks import JUNCTION, demand, intersection, network, signal
from signals.store.tables.plans import (
    drive,
    drive_run,
    lane_study,
    optimisation,
    plan_version,
    running_plan,
)
from signals.store.tables.schedules import count_day, schedule, schedule_plan, scheduled_signal

__all__ = [
    "INSTANT",
    "JUNCTION",
    "METADATA",
    "alarm",
    "cabinet",
    "cabinet_act",
    "controller_event",
    "count_day",
    "demand",
    "detector",
    "detector_bin",
    "detector_count",
    "drive",
    "drive_run",
    "finding",
    "fold_mark",
    "intersection",
    "lane_study",
    "network",
    "optimisation",
    "override",
    "pass_lane",
    "pass_mark",
    "phase_bin",
    "place",
    "plan_version",
    "plate_pass",
    "reading_rate",
    "reporter",
    "running_plan",
    "schedule",
    "schedule_plan",
    "scheduled_signal",
    "signal",
]
