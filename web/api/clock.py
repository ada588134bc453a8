"""The business clock, and the demo's speed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from city import audit
from city.errors import NotFound
from city.people import Role
from city.works.shared_setting import DEMO_CLOCK, clock_setting, read_setting, write_setting
from web import access
from web.acts import act
from web.api.schemas.devices import ClockIn, ClockOut

if TYPE_CHECKING:
    from city.time import ClockSetting
    from city.works.database import UnitOfWork

blueprint = APIBlueprint("clock", __name__, url_prefix="/api/v1/demo", tag="Demo")


def _require_demo() -> None:
    if not access.wiring().settings.demo_enabled:
        raise NotFound("There is no demo city here.")


def _answer(setting: ClockSetting) -> dict[str, Any]:
    now = setting.instant(access.wiring().wall.now())
    return {"now": now, "speed": setting.speed, "since_at": setting.d0_at, "simulated": True}


@blueprint.get("/clock")
@access.signed_in
@blueprint.output(ClockOut)
@blueprint.doc(summary="The demo's time and speed")
def clock() -> dict[str, Any]:
    """Say what time it is in the demo city, and how fast it runs."""
    _require_demo()
    wiring = access.wiring()
    with wiring.database.read() as connection:
        setting = clock_setting(read_setting(connection, DEMO_CLOCK), wiring.wall)
    return _answer(setting)


@blueprint.put("/clock")
@access.allow(Role.ADMINISTRATOR, Role.OPERATOR)
@act
@blueprint.input(ClockIn)
@blueprint.output(ClockOut)
@blueprint.doc(summary="Change the demo's speed; its time never goes back")
def change_speed(uow: UnitOfWork, json_data: ClockIn) -> dict[str, Any]:
    """Let the demo's time run faster or slower, as soon as every process can know it."""
    _require_demo()
    setting = clock_setting(read_setting(uow.connection, DEMO_CLOCK), uow.wall)
    changed = setting.changed_soon(uow.wall.now(), json_data.speed)
    write_setting(uow, DEMO_CLOCK, changed.as_json())
    audit.record(
        uow,
        access.known_actor(),
        "demo.speed_changed",
        "clock",
        DEMO_CLOCK,
        {"speed": str(json_data.speed)},
    )
    return _answer(changed)
