"""How a payer's device comes to pay: by a code, on the channel's page, or inside its app."""

from collections.abc import Callable
from dataclasses import dataclass

from city.errors import Conflict
from journeys.pay_online import Channels, Started
from payments.rules.channel_orders import OrderState
from payments.rules.channel_registry import TRAITS
from payments.rules.channels import Channel, Method
from payments.rules.in_app import in_app_of


@dataclass(frozen=True, slots=True)
class Device:
    """What the device that shows the page can do beside showing a code.

    Parameters
    ----------
    page_from : str
        Network address of a phone's browser, which would rather be led to the channel's page; empty
        where a code is to be shown.
    in_app : bool
        Whether the page is shown inside the channel's own app.
    payer : str
        Who pays there, as the app told us; empty where it was not asked.
    """

    page_from: str = ""
    in_app: bool = False
    payer: str = ""


SCANS = Device()


def best_way(
    channels: Channels, channel: Channel, device: Device, open_by: Callable[[Method, str], Started]
) -> Started:
    """Open an order as suits the device where the channel can; else one by a code.

    Parameters
    ----------
    channels : Channels
    channel : Channel
        Through whom. One that refuses its page or its app to us gives a code all the same.
    device : Device
    open_by : callable
        Opens the order, given how it is paid and the payer's address or id.

    Raises
    ------
    Conflict
        Inside the channel's app, where it was not asked yet who pays: of the field ``payer``.
    """
    if device.in_app and in_app_of(channels, channel) is not None:
        if not device.payer:
            raise Conflict("the app must say first who pays", field="payer", reason="not-asked")
        opened = open_by(Method.JSAPI, device.payer)
    elif device.page_from and (page := TRAITS[channel].phone_page):
        opened = open_by(page, device.page_from)
    else:
        return open_by(Method.CODE, "")
    return opened if opened.order.state is not OrderState.CLOSED else open_by(Method.CODE, "")
