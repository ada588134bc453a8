"""The demo's clock: begun once, stopped with the city, taken up again where it stopped.

Demo time is ``d0 + k (wall - w0)`` from one shared setting, so it would run on while nothing
runs. A city that is stopped in good order therefore writes ``k = 0`` and keeps the speed beside
it; when it lives again it writes the old speed, with d0 where it stood. A living city also leaves
a sign of life every few seconds: after a ``kill -9`` it goes on from a little after the last sign,
later than any instant that one of its processes can have seen, and not from days ahead.
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
    """Return the setting of a city that begins now: this morning, standing still."""
    today = wall_at.astimezone(ZONE).date()
    begins_at = datetime.combine(today, BEGINS, ZONE).astimezone(UTC)
    return ClockSetting(begins_at, wall_at, 0)


def stopped_setting(setting: ClockSetting, sign_at: datetime, wall_at: datetime) -> ClockSetting:
    """Return the setting of a city that has ended without a word, standing still.

    Parameters
    ----------
    setting
        The last one.
    sign_at
        Wall time of the last sign of life.
    wall_at
        Now, wall time.

    Returns
    -------
    ClockSetting
        Never before an instant that `setting` gave while anything ran.
    """
    ended_at = min(sign_at + OUTLIVES, wall_at)
    return ClockSetting(max(setting.d0_at, setting.instant(ended_at)), wall_at, 0)


def make_stand(uow: UnitOfWork) -> ClockSetting:
    """Have the clock stand before the city lives, for the first time or again.

    Where the last sign of life is fresh the city may still run, and its clock is left alone.
    """
    wall_at = uow.wall.now()
    kept, sign_at = _kept(uow.connection), _sign_at(uow.connection)
    if kept is None:
        return _stand(uow, first_setting(wall_at), SPEED)
    if _stopped_speed(uow.connection) is not None or sign_at is None:
        return kept
    if wall_at - sign_at <= OUTLIVES:
        return kept
    return _stand(uow, stopped_setting(kept, sign_at, wall_at), kept.speed)


def go_on(uow: UnitOfWork) -> ClockSetting:
    """Set a standing clock going at the speed that it had; show life.

    Raises
    ------
    Unavailable
        Where there is no clock yet.
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
    """Let the clock stand until the city lives again."""
    kept = _kept(uow.connection)
    if kept is not None and _stopped_speed(uow.connection) is None:
        _stand(uow, kept.changed(uow.wall.now(), 0), kept.speed)


def show_life(uow: UnitOfWork) -> None:
    """Leave a sign that the city runs."""
    write_setting(uow, SIGN_OF_LIFE, {"wall_at": rfc3339(uow.wall.now())})


def _stand(uow: UnitOfWork, setting: ClockSetting, speed: float) -> ClockSetting:
    write_setting(uow, DEMO_CLOCK, setting.as_json())
    write_setting(uow, STOPPED, {"speed": speed})
    return setting


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
