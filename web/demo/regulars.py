"""Drivers of the demo town who come again and again: half of them have their bills deducted.

Their cars are among the traffic's. Each signer does what a driver does: binds the car by the code
that an attendant shows at it, agrees on `/mine/agreements`, signs on the channel's own page at the
local gateway, and has the channel asked. What was done in an earlier life is there already.
"""

from __future__ import annotations

import http.client
import secrets
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import structlog

from city.errors import CityError
from city.people import services as people
from city.people.actors import system_actor
from city.people.drivers import log_in_driver
from city.people.identity import PHONE, parse_phone
from city.people.roles import Role
from city.vehicles import PlateKind, PlateNumber, parse_plate
from payments.rules.channels import Channel
from payments.rules.deductions import colour_of
from web.demo.api_client import ApiClient, ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from city.identifiers import DistrictCode
    from city.works.database import Database
    from web.demo.traffic import Traffic

BUILDER: Final = system_actor("demo")
CARS: Final = 160
SIGNERS: Final = 80
FIRST_PHONE: Final = 13800138001
NEW_ENERGY: Final = 3
"""Every third one."""
POOR: Final = 10
"""Of so many signers one has no money with the channel: what is refused stays a bill."""
SINGLE_MINOR, DAILY_MINOR = 100_00, 300_00
STEP_S: Final = 1.5
"""Wall time between two drivers: at an attendant there is one at a time."""
PAUSE_S: Final = 10.0
CHANNELS: Final = (Channel.WECHAT, Channel.ALIPAY)
TIMEOUT_S: Final = 10.0
REMOTE: Final = "127.0.0.1"

log = structlog.get_logger("demo")


@dataclass(frozen=True, slots=True)
class Regular:
    """A driver with a car, and how they have their bills deducted; None: they do not."""

    number: int
    plate: PlateNumber
    channel: Channel | None
    solvent: bool

    @property
    def phone(self) -> str:
        """The number that they log in with; the first ones are the signers'."""
        return str(FIRST_PHONE + self.number)


def regulars() -> list[Regular]:
    """Give the town's regulars, the signers first: the same in every life."""
    found = []
    for number in range(CARS):
        green = number % NEW_ENERGY == 0
        text = f"皖RDT{number:04d}" if green else f"皖RT{number:04d}"
        plate = parse_plate(text, PlateKind.NEV_GREEN8 if green else PlateKind.BLUE7)
        signs = number < SIGNERS
        channel = CHANNELS[number % len(CHANNELS)] if signs else None
        found.append(Regular(number, plate, channel, solvent=number % POOR != POOR - 1))
    return found


class Signing:
    """A driver on their way to an agreement; every step may be taken again.

    Parameters
    ----------
    regular
        Who, with a channel to sign with.
    api
        The API, as this driver.
    """

    def __init__(self, regular: Regular, api: ApiClient) -> None:
        self._regular = regular
        self._api = api

    def step(self, show_code: Callable[[], str | None]) -> bool:
        """Do what is left to be done; tell whether nothing is.

        Parameters
        ----------
        show_code
            Asks the attendant at the car for a code; None where none has seen it yet.

        Raises
        ------
        ApiError
            Where the API, or the channel's page, said no or could not be reached.
        """
        agreements = self._api.get("/api/v1/me/agreements")["items"]
        if not agreements:
            vehicle_id = self._bound(show_code)
            if vehicle_id is None:
                return False
            agreements = [self._agreed(vehicle_id)]
        found: dict[str, Any] = agreements[0]
        if found["state"] != "asked":
            return True  # signed; or ended again by somebody who logged in as this driver
        holder = self._signed(found["signing_link"] or "")
        path = f"/api/v1/me/agreements/{found['id']}/confirmation"
        self._api.post(path, {"holder": holder}, _key())
        return True

    def _bound(self, show_code: Callable[[], str | None]) -> str | None:
        vehicles = self._api.get("/api/v1/me/vehicles")["items"]
        if vehicles:
            return str(vehicles[0]["id"])
        code = show_code()
        if code is None:
            return None
        return str(self._api.post("/api/v1/me/vehicles", {"code": code}, _key())["id"])

    def _agreed(self, vehicle_id: str) -> dict[str, Any]:
        channel = self._regular.channel
        wish = {
            "vehicle_id": vehicle_id,
            "channel": channel and channel.value,
            "single": {"minor": SINGLE_MINOR, "currency": "CNY"},
            "daily": {"minor": DAILY_MINOR, "currency": "CNY"},
        }
        return self._api.post("/api/v1/me/agreements", wish, _key())

    def _signed(self, link: str) -> str:
        """Fill the channel's page in and press its button; give whom it leads back as."""
        plate, page = self._regular.plate, urlsplit(link)
        colour = colour_of(plate.kind)
        form = {
            "return_url": parse_qs(page.query).get("return_url", [""])[0],
            "plate_number": plate.text,
            "plate_color": "" if colour is None else colour.value,
            "purse": "full" if self._regular.solvent else "empty",
            "state": "normal",
        }
        line = http.client.HTTPConnection(page.netloc, timeout=TIMEOUT_S)
        try:
            line.request(
                "POST",
                page.path,
                urlencode(form),
                {"Content-Type": "application/x-www-form-urlencoded"},
            )
            back = line.getresponse().headers.get("Location", "")
        except (OSError, http.client.HTTPException) as error:
            raise ApiError(None, f"the channel's page: {error}") from error
        finally:
            line.close()
        holder = parse_qs(urlsplit(back).query).get("holder", [""])[0]
        if not holder:
            raise ApiError(None, "the channel's page leads nowhere back")
        return holder


class Regulars(threading.Thread):
    """The signers, one after the other, in a thread of their own that ends when all have signed.

    Parameters
    ----------
    database
        Where their accounts are made.
    origin
        Of the API.
    traffic
        Says where their cars stand.
    attendants
        The API as somebody who works in a district, by district.
    stopped
        Ends it after the step in hand.
    """

    def __init__(
        self,
        database: Database,
        origin: str,
        traffic: Traffic,
        attendants: Mapping[DistrictCode, ApiClient],
        stopped: threading.Event,
    ) -> None:
        super().__init__(name="regulars", daemon=True)
        self._database = database
        self._origin = origin
        self._traffic = traffic
        self._attendants = attendants
        self._stopped = stopped
        self._left = [each for each in regulars() if each.channel is not None]
        self._apis: dict[int, ApiClient] = {}

    def run(self) -> None:
        """Let them sign until told to stop."""
        while self._left:
            for regular in list(self._left):
                if self._stopped.wait(STEP_S):
                    return
                if self._traffic.place_of(regular.plate) is None:
                    continue
                try:
                    if self.let_sign(regular):
                        self._left.remove(regular)
                except (ApiError, CityError) as error:
                    log.info("a regular waits", reason=str(error)[:200])
                    self._stopped.wait(PAUSE_S)

    def stop(self, patience_s: float) -> None:
        """Wait for the thread to end, which its event told it to."""
        self.join(patience_s)

    def let_sign(self, regular: Regular) -> bool:
        """Let one driver do what is left to be done; tell whether nothing is."""
        api = self._apis.get(regular.number)
        if api is None:
            api = ApiClient(self._origin, self._log_in(regular), lambda: None)
            self._apis[regular.number] = api
        return Signing(regular, api).step(lambda: self._code_at(regular))

    def _log_in(self, regular: Regular) -> str:
        """Make sure of a driver's account; give a token for it, another one in each life."""
        with self._database.unit_of_work() as uow:
            account = log_in_driver(uow, PHONE, parse_phone(regular.phone), REMOTE).actor.subject
            people.revoke_subject(uow, "api", account, by=BUILDER)
            return people.issue_token(uow, "api", account, [Role.DRIVER], by=BUILDER)

    def _code_at(self, regular: Regular) -> str | None:
        place = self._traffic.place_of(regular.plate)
        if place is None:
            return None
        facility, bay = place
        api = self._attendants[facility.district]
        found = api.get("/api/v1/sessions", bay_id=bay.bay_id, state="open")["items"]
        # An attendant looks at the plate: the stay may still be that of the car before.
        shown = regular.plate.masked()
        for session in found:
            if session["plate"] is not None and session["plate"]["text"] == shown:
                path = f"/api/v1/sessions/{session['id']}/code"
                return str(api.post(path, {}, _key())["code"])
        return None


def _key() -> str:
    return f"demo-{secrets.token_hex(8)}"
