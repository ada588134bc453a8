"""How many requests each route answers, with what, and how long it takes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from flask import request

from city.works import metrics

if TYPE_CHECKING:
    from flask import Flask, Response
    from prometheus_client import Counter, Histogram

UNROUTED = "unrouted"
"""For every path that no route has: a label for each would let anybody fill the memory."""
OTHER = "OTHER"
BEGUN_AT_S = "greenbay.begun_at_s"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})


class Measures:
    """Counts and times requests; looks each label up once."""

    def __init__(self) -> None:
        self._counters: dict[tuple[str, str, int], Counter] = {}
        self._seconds: dict[str, Histogram] = {}

    def begin(self) -> None:
        """Note when a request came."""
        request.environ[BEGUN_AT_S] = time.perf_counter()

    def end(self, response: Response) -> Response:
        """Count an answer. A stream counts when it begins."""
        environ = request.environ
        rule = request.url_rule
        route = UNROUTED if rule is None else rule.rule
        method = environ["REQUEST_METHOD"]
        key = (method if method in METHODS else OTHER, route, response.status_code)
        counter = self._counters.get(key)
        if counter is None:
            counter = metrics.REQUESTS.labels(key[0], route, str(key[2]))
            self._counters[key] = counter
        counter.inc()
        begun_at_s = environ.get(BEGUN_AT_S)
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
