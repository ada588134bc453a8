"""gunicorn's configuration and a small application behind the door, for its test."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from city.time import WallClock
from city.works.database import Database
from journeys.hear_notices import Notices
from payments.adapters.accounts import read_channel_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

bind = os.environ.get("DOOR_BIND", "127.0.0.1:0")
wsgi_app = "tests.web.door_site:application()"
worker_class = "web.door_worker.DoorWorker"
workers, threads, keepalive = 1, 2, 60
graceful_timeout = 5
control_socket_disable = True


class Application:
    """Says what reached it, by the usual way through gunicorn's threads."""

    def __init__(self) -> None:
        database = Database(os.environ["DOOR_DATABASE"], clock=WallClock(), pool_size=2)
        channels = read_channel_file(
            Path(os.environ["DOOR_CHANNELS"]), "http://127.0.0.1:1", WallClock()
        )
        self.extensions = {
            "greenbay": SimpleNamespace(notices=Notices(database), channels=channels)
        }

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer with method, path and how long the body was."""
        body = environ["wsgi.input"].read()
        said = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} {len(body)}".encode()
        start_response("200 OK", [("Content-Length", str(len(said)))])
        return [said]


def application() -> Application:
    """Build it, in the worker's process."""
    return Application()
