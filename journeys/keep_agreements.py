"""A driver agrees that bills of a car of theirs are taken when it has left, and ends that again."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import Connection

from city.audit import record
from city.errors import Invalid, NotFound, Unavailable
from city.identifiers import VehicleId
from city.money import Money
from city.people.actors import Actor, system_actor
from city.vault import masked, reveal
from city.vehicles import PlateNumber
from city.works.database import Database, UnitOfWork
from journeys.drive_stay import account_of
from journeys.pay_online import Channels
from parking.services import vehicle_users
from payments import agreements
from payments.rules import agreements as rules
from payments.rules.agreements import Agreement
from payments.rules.channel_orders import ChannelOrder
from payments.rules.channels import Channel
from payments.rules.deductions import DeductingChannel, colour_of, deducting
from payments.store import agreements as store

if TYPE_CHECKING:
    from pydantic import JsonValue

_ASKS: Final = system_actor("payments.agreement")
_PURPOSE: Final = "asked of the channel whether its holder signed"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a driver wants to agree to."""

    vehicle_id: VehicleId
    channel: Channel
    single: Money
    daily: Money


@dataclass(frozen=True, slots=True)
class Known:
    """An agreement, and what was last deducted by it."""

    agreement: Agreement
    last: ChannelOrder | None


def consent(uow: UnitOfWork, channels: Channels, actor: Actor, wish: Wish) -> Agreement:
    """Keep a driver's consent; they sign with the channel next.

    Raises
    ------
    NotFound
        Where the car is not theirs.
    Unavailable
        Where the channel deducts nothing here.
    Invalid
        Where channels know no such plate, or on limits as `payments.rules.agreements.consent`.
    Conflict
        Where they have one for that car and channel that has not ended.
    """
    account_id = account_of(actor)
    now = uow.clock.now()
    if not vehicle_users.was_theirs(uow.connection, account_id, wish.vehicle_id, now):
        raise NotFound("is not a vehicle of yours", field="vehicle_id")
    adapter = _able(channels, wish.channel)
    shown = masked(uow.connection, [wish.vehicle_id]).get(wish.vehicle_id)
    if shown is None or colour_of(shown.kind) is None:
        raise Invalid("has a plate that no channel deducts for", field="vehicle_id")
    agreement = agreements.consent(
        uow,
        rules.consent(
            account_id,
            wish.vehicle_id,
            wish.channel,
            adapter.merchant,
            wish.single,
            wish.daily,
            now,
        ),
    )
    detail: dict[str, JsonValue] = {
        "vehicle_id": str(wish.vehicle_id),
        "channel": wish.channel.value,
        "single": wish.single.as_json(),
        "daily": wish.daily.as_json(),
    }
    record(uow, actor, "payments.agreement_consented", "agreement", str(agreement.id), detail)
    return agreement


def confirm(
    database: Database, channels: Channels, actor: Actor, agreement_id: UUID, holder: str
) -> Agreement:
    """Ask the channel whether the driver signed, and keep what it says.

    Parameters
    ----------
    database : Database
    channels : Channels
    actor : Actor
        The driver.
    agreement_id : UUID
        One of theirs.
    holder : str
        The payer's id at the channel, as its page gave it; it is not kept.

    Raises
    ------
    NotFound
        Where it is not theirs.
    Unavailable
        Where the channel is not set up any more, or cannot say now.
    """
    with database.unit_of_work() as uow:
        agreement = agreements.known(uow, account_of(actor), agreement_id)
        adapter = _able(channels, agreement.channel)
        plate = _plate(uow, agreement.vehicle_id)
    said = adapter.agreement(plate, holder)
    with database.unit_of_work() as uow:
        after, changed = agreements.hear(uow, agreement_id, said)
        if changed:
            detail: dict[str, JsonValue] = {"state": after.state.value, "reason": after.reason}
            record(uow, actor, "payments.agreement_heard", "agreement", str(after.id), detail)
    return after


def end(uow: UnitOfWork, actor: Actor, agreement_id: UUID) -> Agreement:
    """End an agreement of one's own: from now on nothing more is deducted by it.

    Raises
    ------
    NotFound
        Where it is not theirs.
    Conflict
        Where it has ended.
    """
    present = agreements.known(uow, account_of(actor), agreement_id, lock=True)
    after = agreements.end(uow, present, agreements.OWN_WORD)
    record(uow, actor, "payments.agreement_ended", "agreement", str(after.id), {})
    return after


def own(connection: Connection, actor: Actor) -> list[Known]:
    """Give a driver's agreements with what was last deducted by each, the newest first."""
    found = store.of_account(connection, account_of(actor))
    last = store.last_deductions(connection, found)
    return [Known(each, last.get(each.id)) for each in found]


def signing_link(channels: Channels, agreement: Agreement, back: str) -> str | None:
    """Give where the driver signs, pauses and stops with the channel; None where nowhere.

    Parameters
    ----------
    channels : Channels
    agreement : Agreement
        Not ended.
    back : str
        Address of the page that the channel leads back to.
    """
    adapter = deducting(channels).get(agreement.channel)
    if adapter is None:
        return None
    asked = urlencode({"return_url": f"{back}?{urlencode({'agreement': str(agreement.id)})}"})
    return f"{adapter.signing_address}?{asked}"


def _able(channels: Channels, channel: Channel) -> DeductingChannel:
    adapter = deducting(channels).get(channel)
    if adapter is None:
        raise Unavailable(f"{channel.value} deducts nothing here", field="channel")
    return adapter


def _plate(uow: UnitOfWork, vehicle_id: VehicleId) -> PlateNumber:
    plate = reveal(uow, _ASKS, [vehicle_id], _PURPOSE).get(vehicle_id)
    if plate is None:
        raise NotFound("its plate is not kept any more", field="agreement")
    return plate
