"""WeChat Pay's parking by pay score on the wire: entrances, deductions, what they answer.

Source: WeChat Pay APIv3 developer documentation, pay-score parking (chapters 8.8.1 to 8.8.5) with
its list of questions, and the models of wechatpay-go, services/wexinpayscoreparking (1.2.1). Direct
merchants: no ``sub_`` member. Not documented publicly, and so unverified: how a browser is led to
the page where a payer signs, and whether an entrance may be told of when the car has left.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from pydantic import JsonValue

from payments.rules.channel_bills.lines import CHINA
from payments.rules.deductions import Parked, PlateColour, Standing

FIND: Final = "/v3/vehicle/parking/services/find"
ENTRANCES: Final = "/v3/vehicle/parking/parkings"
DEDUCTIONS: Final = "/v3/vehicle/transactions/parking"
DEDUCTION: Final = "/v3/vehicle/transactions/out-trade-no/"
ENTRANCE_CHANGED: Final = "VEHICLE.ENTRANCE_STATE_CHANGE"
"""Tells by ``out_parking_no``, not of an order; all others carry a transaction."""
SCENE: Final = "PARKING"
NORMAL: Final = "NORMAL"

_SERVICES: Final = {
    NORMAL: Standing.SIGNED,
    "PAUSE": Standing.PAUSED,
    "OUT_SERVICE": Standing.NONE,
}


def service_standing(state: str) -> Standing:
    """Read ``service_state`` of a plate."""
    return _SERVICES.get(state, Standing.UNKNOWN)


def blocked_standing(reason: str) -> Standing | None:
    """Read why an entrance is blocked.

    A debt (``OVERDUE``) or a low score (``EVALUATION_FAILED``) refuses this stay and says nothing
    against the agreement: None.
    """
    return {"PAUSE": Standing.PAUSED, "OUT_SERVICE": Standing.NONE}.get(reason)


def entrance_body(
    out_parking_no: str, parked: Parked, colour: PlateColour, notify_url: str
) -> dict[str, JsonValue]:
    """Write that a car came in; what of its stay was free is in the fee already."""
    return {
        "out_parking_no": out_parking_no,
        "plate_number": parked.plate.text,
        "plate_color": colour.value,
        "notify_url": notify_url,
        "start_time": rfc3339(parked.entered_at),
        "parking_name": parked.place,
        "free_duration": 0,
    }


def parking_info(parking_id: str, parked: Parked, colour: PlateColour) -> dict[str, JsonValue]:
    """Write the stay of a deduction; place and times are those of its entrance."""
    return {
        "parking_id": parking_id,
        "plate_number": parked.plate.text,
        "plate_color": colour.value,
        "start_time": rfc3339(parked.entered_at),
        "end_time": rfc3339(parked.left_at),
        "parking_name": parked.place,
        "charging_duration": int((parked.left_at - parked.entered_at).total_seconds()),
        "device_id": parked.place_code,
    }


def merchant_of(node: Mapping[str, JsonValue]) -> JsonValue:
    """Give whose transaction it is: parking names its merchant by another member."""
    return node.get("mchid", node.get("sp_mchid"))


def rfc3339(at: datetime) -> str:
    """Write an instant in China's time to the second."""
    return at.astimezone(CHINA).replace(microsecond=0).isoformat()
