"""gunicorn's configuration for the live feed: thousands of slow clients in one process.

`gunicorn --config python:city.works.gunicorn_live`.
"""

# First of all: what is imported below must see gevent's sockets and locks.
from gevent import monkey

monkey.patch_all()

import signal  # noqa: E402 - as above
from typing import Any  # noqa: E402 - patched first

from city.works.embedded.children import follow_parent  # noqa: E402 - patched first
from city.works.logs import configure_logs  # noqa: E402 - patched first
from city.works.metrics import forget_process  # noqa: E402 - patched first
from city.works.settings import settings  # noqa: E402 - patched first

_settings = settings()
configure_logs(_settings.log_level, process="live")

wsgi_app = "wsgi:live()"
proc_name = "greenbay-live"
bind = f"{_settings.bind_host}:{_settings.live_port}"
worker_class = "gevent"
workers = 1
worker_connections = 4000
"""Clients at a time; one process carried 2 000."""
backlog = 1024
timeout = 60
graceful_timeout = 5
"""Seconds; a feed never ends by itself, and its page connects again."""
keepalive = 15
limit_request_line = 4094
limit_request_fields = 64
limit_request_field_size = 8190
logger_class = "city.works.gunicorn_logs.MaskedLogger"
control_socket_disable = True


def post_fork(_server: Any, _worker: Any) -> None:
    """Let a worker end with a killed master at once, so that the port is free again."""
    follow_parent(signal.SIGKILL)


def child_exit(_server: Any, worker: Any) -> None:
    """Drop the gauges of a worker that has ended."""
    forget_process(worker.pid)
