"""Set the demo city up: once for a database, and again after anything in between was killed.

All that is recorded is recorded in one transaction, and the file of secrets is written just
before it ends: a crash leaves either a file without its city, which the next run replaces, or
both. What is there already is left as it is.
"""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import orjson

from city.errors import Conflict, Forbidden
from city.identifiers import DeviceId, OperatorId, TariffId
from city.money import Money
from city.people import services as people
from city.people.actors import system_actor
from city.people.roles import Role
from city.time import ScaledClock
from city.works.database import Database
from city.works.shared_setting import read_setting, write_setting
from parking.rules.places.model import Limits, Operator, Standing, Zone
from parking.rules.places.times import TimeSpan
from parking.rules.places.usage import UseRule
from parking.services.devices import NewDevice, record_devices
from parking.services.place_keeping import add_zone, by_name, register_operator
from parking.services.places import (
    Bay,
    Facility,
    count_facilities,
    facilities_by_id,
    record_places,
)
from parking.services.tariffs import publish_tariff
from parking.store.tariffs import ensure_tariff
from signals.services.junctions import record_junctions
from signals.services.networks import record_demand, record_network
from web.demo import city_clock, names, tariffs
from web.demo.base_map import write_base_map, write_streets
from web.demo.bays import lay_bays
from web.demo.cabinets import bind_cabinets
from web.demo.channels import prepare_channels
from web.demo.ids import demo_id
from web.demo.people import INTEGRATION, POSTS, WALKERS, Post, greeting, new_password
from web.demo.rights import grant_rights
from web.demo.secrets_file import DemoSecrets, find_secrets, write_secrets
from web.demo.sensors import plan_sensors
from web.demo.signal_network import CODE, draw_signals
from web.demo.signal_plans import lay_junctions
from web.demo.town import CENTRE, SEED, build_town

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Connection

    from city.identifiers import FacilityId, ZoneId
    from city.time import Clock
    from city.works.database import UnitOfWork
    from city.works.settings import Settings
    from parking.rules.places.model import Ownership
    from web.demo.bays import DemoFacility
    from web.demo.sensors import SensorPlan
    from web.demo.town import Town

CITY: Final = "demo-city"
"""Shared setting: which town a database holds, and the mark that its secrets carry."""
BUILDER: Final = system_actor("demo")
EARLIER: Final = timedelta(days=60)
"""The town's tariffs and sensors are that much older than its first morning."""
OWNERSHIPS: Final[dict[str, Ownership]] = {
    "G03": "institutional",
    "G04": "institutional",
    "G07": "institutional",
    "G08": "public",
}
"""The hospital's, the library's and the civic centre's garage, and the coach station's."""
UNPROVEN: Final = frozenset({"G06", "K004"})
"""Places whose title nobody has verified yet."""
SHORT_STAY: Final = "K002"
"""A kerb before shops, with a sign: an hour by day."""
AN_HOUR_BY_DAY: Final = UseRule(
    "parking", (TimeSpan(windows=((8 * 60, 18 * 60),)),), max_stay_min=60
)
OVERSTAY_PRICE: Final = Money(500, tariffs.CURRENCY)
GARAGE_HEIGHT_M: Final = 2.2
ZONE_1_FROM: Final = 0.8
"""A kerb that is wanted at least this much lies in the dearer zone."""


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """All that will stand in the city."""

    town: Town
    facilities: tuple[DemoFacility, ...]
    sensors: tuple[SensorPlan, ...]

    @property
    def digest(self) -> str:
        """Name this very town: another one's ids or bays give another name."""
        described = [
            (each.network_key, each.model, str(each.bay.bay_id), each.facility.code)
            for each in self.sensors
        ]
        return sha256(orjson.dumps(described)).hexdigest()[:16]


def plan_city(seed: int = SEED) -> DemoPlan:
    """Return the plan of a seed's city."""
    town = build_town(seed)
    facilities = lay_bays(town, CENTRE)
    return DemoPlan(town, facilities, plan_sensors(facilities, seed))


def prepare(settings: Settings, wall: Clock) -> str:
    """Make sure that the demo city is there; its clock stands until it lives.

    Parameters
    ----------
    settings
        Say whether the demo may be here, where the database is, and where the files go.
    wall
        The machine's clock.

    Returns
    -------
    str
        What the terminal shows: log-ins and how to use them.

    Raises
    ------
    Forbidden
        Where the demo is not enabled.
    Conflict
        Where other facilities exist, or the demo city of another version.
    """
    if not settings.demo_enabled:
        raise Forbidden(
            "the demo city lives on embedded servers, or where GREENBAY_DEMO=1 asks for it"
        )
    plan = plan_city()
    address = settings.database_address()
    with _work(address, wall, wall) as uow:
        _refuse_another_city(uow.connection, plan)
        setting = city_clock.make_stand(uow)
    clock = ScaledClock(lambda: setting, wall)
    with _work(address, clock, wall) as uow:
        known = _recorded(uow, settings, plan)
        bind_cabinets(uow, BUILDER, settings)
    write_base_map(settings.var, plan.town)
    write_streets(settings.streets_path, plan.town)
    prepare_channels(settings, wall)
    return greeting(
        settings.page_origin,
        settings.var / "log" / "api.log",
        known.log_ins,
        known.integration_token,
    )


@contextmanager
def _work(address: str, clock: Clock, wall: Clock) -> Iterator[UnitOfWork]:
    """Lend one transaction on a connection of its own."""
    database = Database(
        address,
        clock=clock,
        wall=wall,
        application="greenbay-demo-prepare",
        pool_size=1,
        statement_timeout_s=60.0,
    )
    try:
        with database.unit_of_work() as uow:
            yield uow
    finally:
        database.close()


def _mark(connection: Connection) -> tuple[str, str] | None:
    """Return the mark and the town that a database was prepared with."""
    kept = read_setting(connection, CITY)
    if not isinstance(kept, dict):
        return None
    return str(kept["mark"]), str(kept["town"])


def _refuse_another_city(connection: Connection, plan: DemoPlan) -> None:
    ours = facilities_by_id(connection, (each.facility_id for each in plan.facilities))
    others = count_facilities(connection) - len(ours)
    if others:
        raise Conflict(
            f"{others} other facilities exist here: the demo city is refused beside a real one "
            "(set GREENBAY_DEMO=0)"
        )
    marked = _mark(connection)
    if marked is not None and marked[1] != plan.digest:
        raise Conflict(
            "the demo city of another version is here: start with an empty folder (GREENBAY_VAR)"
        )


def _recorded(uow: UnitOfWork, settings: Settings, plan: DemoPlan) -> DemoSecrets:
    """Return the secrets of the city in this database; it is built where it is not there yet."""
    marked, kept = _mark(uow.connection), find_secrets(settings.var)
    if marked is not None and kept is not None and kept.mark == marked[0]:
        return _with_new_posts(uow, settings, kept)
    mark = secrets.token_hex(16)
    if marked is None:
        _build(uow, plan)
        known = _admit(uow, plan, mark)
    else:
        known = _admit_again(uow, plan, mark)
    write_setting(uow, CITY, {"mark": mark, "town": plan.digest})
    write_secrets(settings.var, known)
    return known


def _with_new_posts(uow: UnitOfWork, settings: Settings, kept: DemoSecrets) -> DemoSecrets:
    """Give log-ins to posts that a city of an earlier version did not have."""
    new = [post for post in POSTS if post.login not in kept.log_ins]
    if not new:
        return kept
    known = replace(kept, log_ins=kept.log_ins | {post.login: _hired(uow, post) for post in new})
    write_secrets(settings.var, known)
    return known


def _hired(uow: UnitOfWork, post: Post) -> str:
    """Make a post's account; give its password."""
    password = new_password()
    people.create_account(uow, post.login, post.name, [post.role], password, by=BUILDER)
    return password


def _build(uow: UnitOfWork, plan: DemoPlan) -> None:
    since_at = uow.clock.now() - EARLIER
    codes: dict[str, TariffId] = {}
    for code, document in tariffs.DOCUMENTS.items():
        publish_tariff(uow, code, document, valid_from=since_at, by=BUILDER.subject)
        codes[code] = ensure_tariff(uow.connection, code, "", "")
    _operators(uow, plan.town.seed)
    standing = Standing(1, since_at, by_name(BUILDER))
    homes = [
        replace(_facility(plan.town.seed, each, codes), standing=standing)
        for each in plan.facilities
    ]
    record_places(uow, homes, [])
    zones = _areas(uow, plan)
    record_places(
        uow, [], [bay for each in plan.facilities for bay in _bays(each, zones, standing)]
    )
    record_devices(
        uow,
        BUILDER,
        [
            NewDevice(
                each.network_key,
                each.model,
                each.facility.district,
                each.bay.bay_id,
                id=DeviceId(demo_id(plan.town.seed, "device", each.network_key)),
            )
            for each in plan.sensors
        ],
        since_at=since_at,
    )
    _signals(uow, plan.town)
    grant_rights(uow, plan.facilities, OVERSTAY_PRICE)


def _signals(uow: UnitOfWork, town: Town) -> None:
    """Put the junctions on record, and their network, plans and demand into the workbench."""
    junctions = lay_junctions(town)
    record_junctions(uow, junctions)
    drawn = draw_signals(town, junctions)
    home = record_network(
        uow,
        BUILDER,
        CODE,
        (names.TOWN.zh, names.TOWN.en),
        drawn.network,
        drawn.plans,
        titles=drawn.titles,
        origin="demo",
    )
    record_demand(
        uow,
        BUILDER,
        home.id,
        name="早高峰 Morning peak",
        source="模拟 simulated",
        flows=drawn.flows,
    )


def _areas(uow: UnitOfWork, plan: DemoPlan) -> dict[tuple[FacilityId, str | None], ZoneId]:
    """Part every garage into its two halves; give their zones."""
    found: dict[tuple[FacilityId, str | None], ZoneId] = {}
    for each in plan.facilities:
        for area in sorted({bay.area for bay in each.bays if bay.area}):
            name = names.AREAS[area]
            new = Zone(each.facility_id, each.district, area, "area", name.zh, name.en)
            found[each.facility_id, area] = add_zone(uow, BUILDER, new).id
    return found


def _facility(seed: int, each: DemoFacility, codes: dict[str, TariffId]) -> Facility:
    kerb = each.kind == "kerb"
    if not kerb:
        tariff = tariffs.GARAGE
    elif each.attraction >= ZONE_1_FROM:
        tariff = tariffs.KERB_CENTRE
    else:
        tariff = tariffs.KERB_OUTER
    return Facility(
        code=each.code,
        district=each.district,
        ownership="roadside" if kerb else OWNERSHIPS.get(each.code, "commercial"),
        kind=each.kind,
        name_zh=each.name.zh,
        name_en=each.name.en,
        position=each.position,
        timezone=tariffs.TIMEZONE,
        operator_id=OperatorId(demo_id(seed, "operator", "kerbs" if kerb else "garages")),
        revenue_nature="public_non_tax" if kerb else "commercial",
        tariff_id=codes[tariff],
        id=each.facility_id,
        title="verified" if each.code not in UNPROVEN else "claimed",
        rules=(AN_HOUR_BY_DAY,) if each.code == SHORT_STAY else (),
        limits=Limits() if kerb else Limits(max_height_m=GARAGE_HEIGHT_M),
    )


def _operators(uow: UnitOfWork, seed: int) -> None:
    for part, name in names.OPERATORS.items():
        new = Operator(
            part,
            name.zh,
            name.en,
            names.OPERATOR_PHONES[part],
            OperatorId(demo_id(seed, "operator", part)),
        )
        register_operator(uow, BUILDER, new)


def _bays(
    facility: DemoFacility,
    zones: Mapping[tuple[FacilityId, str | None], ZoneId],
    standing: Standing,
) -> list[Bay]:
    return [
        Bay(
            facility.facility_id,
            facility.district,
            each.label,
            each.kind,
            each.position,
            each.bearing_deg,
            each.bay_id,
            zone_id=zones.get((facility.facility_id, each.area)),
            standing=standing,
            purpose=each.purpose,
            ground="carriageway" if facility.kind == "kerb" else "off_street",
        )
        for each in facility.bays
    ]


def _admit(uow: UnitOfWork, plan: DemoPlan, mark: str) -> DemoSecrets:
    """Make the accounts and give out every token."""
    log_ins = {post.login: _hired(uow, post) for post in POSTS}
    for walker in WALKERS:
        # Nobody logs in as one of them: the password is thrown away.
        people.create_account(
            uow,
            walker.login,
            walker.name,
            [Role.ATTENDANT],
            new_password(),
            districts=[walker.district],
            by=BUILDER,
        )
    return _with_tokens(uow, plan, mark, log_ins)


def _admit_again(uow: UnitOfWork, plan: DemoPlan, mark: str) -> DemoSecrets:
    """Replace all that was given out: the file that knew it is lost, or belongs elsewhere."""
    accounts = {each.login: each.account_id for each in people.accounts(uow.connection)}
    log_ins: dict[str, str] = {}
    for post in POSTS:
        if post.login not in accounts:
            log_ins[post.login] = _hired(uow, post)
            continue
        log_ins[post.login] = new_password()
        people.reset_password(uow, accounts[post.login], log_ins[post.login], by=BUILDER)
    for walker in WALKERS:
        people.revoke_subject(uow, "api", str(accounts[walker.login]), by=BUILDER)
    people.revoke_subject(uow, "integration", INTEGRATION, by=BUILDER)
    for each in plan.sensors:
        people.revoke_subject(uow, "device", each.network_key, by=BUILDER)
    return _with_tokens(uow, plan, mark, log_ins)


def _with_tokens(
    uow: UnitOfWork, plan: DemoPlan, mark: str, log_ins: dict[str, str]
) -> DemoSecrets:
    accounts = {each.login: str(each.account_id) for each in people.accounts(uow.connection)}
    walking = people.issue_tokens(
        uow, "api", [accounts[each.login] for each in WALKERS], [Role.ATTENDANT], by=BUILDER
    )
    return DemoSecrets(
        mark,
        log_ins,
        {each.login: walking[accounts[each.login]] for each in WALKERS},
        people.issue_token(uow, "integration", INTEGRATION, by=BUILDER),
        _device_tokens(uow, plan.sensors),
    )


def _device_tokens(uow: UnitOfWork, sensors: Sequence[SensorPlan]) -> dict[str, str]:
    """Give every sensor a token that holds in its own district alone."""
    tokens: dict[str, str] = {}
    for district in sorted({each.facility.district for each in sensors}):
        keys = [each.network_key for each in sensors if each.facility.district == district]
        tokens |= people.issue_tokens(uow, "device", keys, (), [district], by=BUILDER)
    return tokens
