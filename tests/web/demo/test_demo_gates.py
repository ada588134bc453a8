"""The demo town's gated garage before the real application: who is inside, and who comes."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from werkzeug.serving import make_server

from tests.waiting import eventually
from tests.web.conftest import process, wired
from web.app import create_app
from web.demo.api_client import ApiClient
from web.demo.lanes import open_gates
from web.demo.live import Town, no_pause, walker_of
from web.demo.secrets_file import read_secrets
from web.demo.traffic import Move

if TYPE_CHECKING:
    import redis

    from tests.web.demo.prepared_city import Prepared
    from web.demo.sensors import Message

PATIENCE_S = 60.0


class Kept:
    """Where sensors' messages go."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def send(self, messages: list[Message]) -> None:
        self.messages += messages


def test_the_towns_garage_is_told_of_and_driven_into(
    city: Prepared, redis_url: str, valkey: redis.Redis
) -> None:
    with (
        process(city.settings.database_address(), redis_url, city.settings.var) as known,
        wired(known, valkey, city.wall) as wiring,
    ):
        server = make_server("127.0.0.1", 0, create_app(wiring), threaded=True)
        object.__setattr__(wiring, "settings", known.model_copy(update={"port": server.port}))
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        stopped = threading.Event()
        sent = Kept()
        town = Town(wiring, sent, 1.0)  # type: ignore[arg-type]  # all that is asked of senders
        tokens = read_secrets(known.var).attendant_tokens
        origin = f"http://127.0.0.1:{server.port}"
        attendant = ApiClient(origin, tokens[walker_of(town.gated)], no_pause)
        try:
            gates = open_gates(
                wiring, town.gated, town.inside, attendant=attendant, stopped=stopped
            )
            assert gates is not None
            inside = [bay for bay in town.gated.bays if town.traffic.plate_in(bay.bay_id)]
            town.open_gates(gates)

            def open_stays() -> int:
                found: list[Any] = attendant.get(
                    "/api/v1/sessions",
                    facility_id=town.gated.facility_id,
                    state="open",
                    limit=200,
                )["items"]
                return len(found)

            assert eventually(lambda: open_stays() == len(inside), PATIENCE_S)
            free = next(bay for bay in town.gated.bays if bay not in inside)
            plate = town.traffic._plate()
            town._happens(Move(city.wall.now(), town.gated, free, plate, arrives=True))
            assert eventually(lambda: gates.passed == 1, PATIENCE_S)
            assert [bay for bay, _ in gates.reached()] == [free.bay_id]
            assert eventually(lambda: open_stays() == len(inside) + 1, PATIENCE_S)
        finally:
            stopped.set()
            if town.gates is not None:
                town.gates.stop(5.0)
            server.shutdown()
            thread.join()
            server.server_close()
