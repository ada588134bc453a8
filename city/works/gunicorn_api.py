"""gunicorn's configuration for the API and the pages: threads in few processes.

`gunicorn --config python:city.works.gunicorn_api`.
"""

import signal
from typing import Any

from city.works.embedded.children import follow_parent
from city.works.logs import configure_logs
from city.works.metrics import forget_process
from city.works.settings import settings

_settings = settings()
configure_logs(_settings.log_level, process="api")

wsgi_app = "wsgi:api()"
proc_name = "greenbay-api"
bind = f"{_settings.bind_host}:{_settings.port}"
worker_class = "web.door_worker.DoorWorker"
workers = _settings.api_processes
threads = _settings.api_threads
backlog = 512
timeout = 60
graceful_timeout = 15
"""Seconds for requests that run when a stop is asked for."""
keepalive = 15
limit_request_line = 8190
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
