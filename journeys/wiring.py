"""The composition root: what each process is built from, and who handles which event."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import redis
from pydantic import JsonValue

from city.audit import jobs as audit_jobs
from city.events import BusinessEvent
from city.events.parking import ParkingSessionClosed, VehicleAttached
from city.events.payments import StayPaidAhead
from city.people import jobs as people_jobs
from city.people.identity import DriverIdentity
from city.people.local_codes import LocalPhoneCodes
from city.time import Clock, WallClock
from city.vault import jobs as vault_jobs
from city.works.back_pressure import DiskGate, StreamGate
from city.works.database import Database
from city.works.jobs import Task
from city.works.live import live_store
from city.works.settings import Settings, settings
from city.works.shared_setting import business_clock
from journeys import (
    chase_arrears,
    count_collections,
    deduct_by_agreement,
    fetch_bills,
    forget_plates,
    keep_act_photos,
    keep_patrol,
    offer_ahead,
    pursue_channels,
    read_bay,
    reconcile_cards,
    reconcile_stays,
    request_invoice,
    settle_channels,
    settle_stay,
    simulate_tariff,
    weigh_honesty,
    work_lanes,
)
from journeys.hear_notices import Notices
from lpr.services import evidence as frame_evidence
from parking import learning_chances, rights_jobs, telemetry_jobs
from parking.adapters.live_store import LiveStore
from parking.ingest import Ingest
from parking.known_places import KnownPlaces
from parking.placements import Placements
from parking.services import corrections, figures, stays
from parking.services.devices import REPLAY_TASK
from payments import balances
from payments.adapters.accounts import read_channel_file
from payments.adapters.local_invoices import LocalInvoices
from payments.adapters.local_post import LocalPost
from payments.adapters.stored_value import StoredValueCards
from payments.rules.channels import Channel, ChannelAdapter
from payments.rules.invoices import InvoiceProvider
from signals import jobs as signal_jobs
from signals.detection_door import DetectionDoor

EVENT_HANDLERS: Final[Mapping[type[BusinessEvent], Sequence[str]]] = {
    ParkingSessionClosed: (settle_stay.TASK, rights_jobs.DEPARTURE),
    VehicleAttached: (rights_jobs.ARRIVAL,),
    StayPaidAhead: (offer_ahead.TASK,),
}
"""Tasks that each announced event starts, in the announcing transaction."""

_NOWHERE: Final = "postgresql://offline.invalid/greenbay"
_NO_STORE: Final = "redis://offline.invalid"


@dataclass(frozen=True, slots=True)
class Wiring:
    """What the use cases of one process need."""

    settings: Settings
    database: Database
    live: redis.Redis
    live_store: LiveStore
    clock: Clock
    """Business time: the demo's, in the demo."""
    wall: Clock
    """For security, tokens and audit."""
    placements: Placements
    places: KnownPlaces
    ingest: Ingest
    detections: DetectionDoor
    driver_identity: DriverIdentity | None = None
    """Who vouches for drivers; nobody where no provider is set up."""
    channels: Mapping[Channel, ChannelAdapter] = field(default_factory=dict)
    """The online channels that are set up."""
    notices: Notices = field(init=False)
    """What takes the notifications of all threads of this process."""

    def __post_init__(self) -> None:
        """Share what is shared."""
        object.__setattr__(self, "notices", Notices(self.database))

    @property
    def invoices(self) -> InvoiceProvider:
        """Give who issues invoices: the local provider, until a tax platform is set up."""
        return LocalInvoices(self.database)


def build(application: str = "greenbay", *, offline: bool = False) -> Wiring:
    """Build what a process needs; it connects when it is used.

    Parameters
    ----------
    application : str
        Name shown in `pg_stat_activity`.
    offline : bool
        Without any server: for what only describes the application.
    """
    known = settings()
    wall = WallClock()
    if offline:
        clock: Clock = wall
        database_url, redis_url = _NOWHERE, _NO_STORE
    else:
        clock = business_clock(known, wall=wall)
        addresses = known.addresses()
        database_url, redis_url = addresses.database, addresses.redis
    database = Database(
        database_url, clock=clock, handlers=EVENT_HANDLERS, wall=wall, application=application
    )
    live = live_store(redis_url)
    placements = Placements(database)
    room = DiskGate(known.var, known.disk_free_limit_mb * 1_000_000)
    ingest = Ingest(
        live,
        placements,
        clock,
        gate=StreamGate(live, known.stream_limit),
        room=room,
        partitions=known.uplink_partitions,
    )
    # An entry holds up to a thousand rows.
    batches = StreamGate(live, max(known.stream_limit // 200, 10))
    detections = DetectionDoor(live, database, wall, gate=batches, room=room)
    return Wiring(
        known,
        database,
        live,
        LiveStore(live, clock),
        clock,
        wall,
        placements,
        KnownPlaces(database),
        ingest,
        detections,
        LocalPhoneCodes(database, known) if known.demo_enabled and not offline else None,
        {} if offline else channels_of(_channels(known, wall), database),
    )


def _channels(known: Settings, wall: Clock) -> Mapping[Channel, ChannelAdapter]:
    path = known.channels_path
    if known.gateway_origin is not None and path is not None and not path.exists():
        return {}  # a process that the demo's preparation has not come before: it offers none
    return read_channel_file(path, known.notify_origin, wall)


def channels_of(
    online: Mapping[Channel, ChannelAdapter], database: Database
) -> Mapping[Channel, ChannelAdapter]:
    """Give the online channels with that of our own cards, which needs no setting up."""
    return {**online, Channel.CARD: StoredValueCards(database)}


def tasks(wiring: Wiring) -> list[Task]:
    """Give everything that workers can do."""
    database = wiring.database

    def announce_settled(arguments: Mapping[str, JsonValue]) -> None:
        del arguments
        with database.unit_of_work() as uow:
            corrections.open_remainders(uow)
            stays.announce_settled(uow)

    # NumPy and the rules that need it are loaded by the first run, not by every process's start.
    def learn_forecasts(arguments: Mapping[str, JsonValue]) -> None:
        del arguments
        from parking import forecasting  # noqa: PLC0415 - slow to load

        forecasting.learn_forecasts(database)

    def forecast_now(arguments: Mapping[str, JsonValue]) -> None:
        del arguments
        from parking import forecasting  # noqa: PLC0415 - slow to load

        forecasting.forecast_now(database, wiring.live_store)

    def learn_chances(arguments: Mapping[str, JsonValue]) -> None:
        del arguments
        learning_chances.learn_chances(database)

    def keep_partitions(arguments: Mapping[str, JsonValue]) -> None:
        del arguments
        telemetry_jobs.keep_partitions(database)

    def replay_parked(arguments: Mapping[str, JsonValue]) -> None:
        telemetry_jobs.replay_parked(
            database,
            wiring.live,
            arguments,
            partitions_of_district=wiring.settings.uplink_partitions,
        )

    return [
        settle_stay.task(database),
        offer_ahead.task(database),
        read_bay.task(database),
        simulate_tariff.task(database),
        forget_plates.task(database, timedelta(days=wiring.settings.plate_days)),
        Task("parking.announce_settled", announce_settled, every="* * * * *"),
        Task("parking.keep_partitions", keep_partitions, every="7 * * * *"),
        Task("parking.learn_forecasts", learn_forecasts, every="23 * * * *"),
        Task("parking.forecast_now", forecast_now, every="*/5 * * * *"),
        Task("parking.learn_chances", learn_chances, every="*/10 * * * *"),
        Task(REPLAY_TASK, replay_parked),
        *rights_jobs.tasks(database),
        *work_lanes.tasks(database),
        *frame_evidence.tasks(database),
        keep_act_photos.task(database),
        figures.task(database),
        count_collections.task(database),
        keep_patrol.task(database),
        weigh_honesty.task(database),
        pursue_channels.task(database, wiring.channels),
        deduct_by_agreement.task(database, wiring.channels),
        settle_channels.task(database, wiring.channels),
        fetch_bills.task(database, wiring.channels),
        reconcile_stays.task(database),
        reconcile_cards.task(database),
        *balances.tasks(database),
        request_invoice.task(database, wiring.invoices),
        chase_arrears.task(database, LocalPost(database)),
        *people_jobs.tasks(database),
        *audit_jobs.tasks(database),
        *signal_jobs.tasks(database),
        *vault_jobs.tasks(database),
    ]
