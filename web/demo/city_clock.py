"""The demo's clock: begun once, stopped with the city, taken up again where it stopped.

Demo time is ``d0 + k (wall - w0)`` from one shared setting, so it would run on while nothing
runs. A city that is stopped in good order therefore writes ``k = 0``, with the speed that it had;
its next start writes the old speed, with d0 where it stood. A living city also leaves a sign of
life every few seconds: after a ``kill -9`` it goes on from a little after the last sign, later
than any instant that one of its processes can have seen, and not from days ahead.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from city.errors import Invalid, Unavailable
from city.time import ClockSetting, parse_rfc3339, rfc3339
from city.works.shared_setting import DEMO_CLOCK, read_setting, write_setting

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from city.works.database import UnitOfWork

ZONE: Final = ZoneInfo("Asia/Shanghai")
BEGINS: Final = time(8, 40)
"""Local time at which a new city wakes: the streets fill, and soon there is something to see."""
SPEED: Final = 10.0

SIGN_OF_LIFE: Final = "demo-sign-of-life"
STOPPED: Final = "demo-stopped"
SIGN_EVERY_S: Final = 5.0
OUTLIVES: Final = timedelta(seconds=60)
"""Processes of a killed supervisor finish what they have begun; by then the last one has ended."""


def first_setting(wall_at: datetime) -> ClockSetting:
    """Return the setting of a city that begins now: this morning, at its first speed."""
    today = wall_at.astimezone(ZONE).date()
    begins_at = datetime.combine(today, BEGINS, ZONE).astimezone(UTC)
    return ClockSetting(begins_at, wall_at, SPEED)


def taken_up(
    setting: ClockSetting, *, speed: float | None, sign_at: datetime | None, wall_at: datetime
) -> ClockSetting:
    """Return the setting with which a city goes on.

    Parameters
    ----------
    setting
        The last one.
    speed
        What the clock ran at before it was stopped in good order; None where it was not.
    sign_at
        Wall time of the last sign of life.
    wall_at
        Now, wall time.

    Returns
    -------
    ClockSetting
        `setting` itself where the city never stopped. Its time is never before an instant that
        `setting` gave while anything ran.
    """
    if speed is not None:
        return setting.changed(wall_at, speed)
    if sign_at is None or wall_at - sign_at <= OUTLIVES:
        return setting
    return ClockSetting(setting.instant(sign_at + OUTLIVES), wall_at, setting.speed)


def begin_or_take_up(uow: UnitOfWork) -> ClockSetting:
    """Set the clock going, for the first time or again: before any process of the city runs."""
    wall_at = uow.wall.now()
    kept = _kept(uow.connection)
    if kept is None:
        setting = first_setting(wall_at)
    else:
        speed, sign_at = _stopped_speed(uow.connection), _sign_at(uow.connection)
        setting = taken_up(kept, speed=speed, sign_at=sign_at, wall_at=wall_at)
    if setting != kept:
        write_setting(uow, DEMO_CLOCK, setting.as_json())
        write_setting(uow, STOPPED, None)
    show_life(uow)
    return setting


def go_on(uow: UnitOfWork) -> ClockSetting:
    """Undo a stop where the rest of the city never stopped; show life.

    Raises
    ------
    Unavailable
        Where the clock was never begun.
    """
    kept, speed = _kept(uow.connection), _stopped_speed(uow.connection)
    if kept is None:
        raise Unavailable("the demo city is not prepared; run `make run`")
    if speed is not None:
        kept = kept.changed(uow.wall.now(), speed)
        write_setting(uow, DEMO_CLOCK, kept.as_json())
        write_setting(uow, STOPPED, None)
    show_life(uow)
    return kept


def stop(uow: UnitOfWork) -> None:
    """Let the clock stand until the city is started again."""
    kept = _kept(uow.connection)
    if kept is None or _stopped_speed(uow.connection) is not None:
        return
    write_setting(uow, DEMO_CLOCK, kept.changed(uow.wall.now(), 0).as_json())
    write_setting(uow, STOPPED, {"speed": kept.speed})


def show_life(uow: UnitOfWork) -> None:
    """Leave a sign that the city runs."""
    write_setting(uow, SIGN_OF_LIFE, {"wall_at": rfc3339(uow.wall.now())})


def _kept(connection: Connection) -> ClockSetting | None:
    kept = read_setting(connection, DEMO_CLOCK)
    return None if kept is None else ClockSetting.from_json(kept)


def _stopped_speed(connection: Connection) -> float | None:
    kept = read_setting(connection, STOPPED)
    if not isinstance(kept, dict):
        return None
    speed = kept.get("speed")
    if not isinstance(speed, int | float):
        raise Invalid("must be a number", field=f"{STOPPED}.speed")
    return float(speed)


def _sign_at(connection: Connection) -> datetime | None:
    kept = read_setting(connection, SIGN_OF_LIFE)
    at = kept.get("wall_at") if isinstance(kept, dict) else None
    return parse_rfc3339(at, f"{SIGN_OF_LIFE}.wall_at") if isinstance(at, str) else None
