"""How many requests each route answers, with what, and how long it takes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from flask import g, request

from city.works import metrics

if TYPE_CHECKING:
    from flask import Flask, Response
    from prometheus_client import Counter, Histogram

UNROUTED = "unrouted"
"""For every path that no route has: a label for each would let anybody fill the memory."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})


class Measures:
    """Counts and times requests; looks each label up once."""

    def __init__(self) -> None:
        self._counters: dict[tuple[str, str, int], Counter] = {}
        self._seconds: dict[str, Histogram] = {}

    def begin(self) -> None:
        """Note when a request came."""
        g.begun_at_s = time.perf_counter()

    def end(self, response: Response) -> Response:
        """Count an answer. A stream counts when it begins."""
        route = request.url_rule.rule if request.url_rule is not None else UNROUTED
        method = request.method if request.method in METHODS else "OTHER"
        key = (method, route, response.status_code)
        counter = self._counters.get(key)
        if counter is None:
            counter = metrics.REQUESTS.labels(method, route, str(response.status_code))
            self._counters[key] = counter
        counter.inc()
        begun_at_s = g.get("begun_at_s")
        if begun_at_s is not None:
            seconds = self._seconds.get(route)
            if seconds is None:
                seconds = self._seconds[route] = metrics.REQUEST_SECONDS.labels(route)
            seconds.observe(time.perf_counter() - begun_at_s)
        return response


def register(app: Flask) -> None:
    """Measure every request of an application."""
    measures = Measures()
    app.before_request(measures.begin)
    app.after_request(measures.end)
