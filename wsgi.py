"""What gunicorn loads: the API with its pages, and the live feed, each in its own processes."""

from typing import TYPE_CHECKING

from city.works.collector import steady_collector
from journeys.wiring import build
from web.app import create_app, create_live_app

if TYPE_CHECKING:
    from flask import Flask


def api() -> "Flask":
    """Build the API and the pages for this process."""
    return _steady(create_app(build(application="greenbay-api")))


def live() -> "Flask":
    """Build the live feed for this process."""
    return _steady(create_live_app(build(application="greenbay-live")))


def _steady(app: "Flask") -> "Flask":
    steady_collector()
    return app
