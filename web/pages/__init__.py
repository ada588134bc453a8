"""Pages: Jinja shells with the design's tokens; what moves on them is the front end's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from web.pages import context, errors, gates, log_in, payers, paying, signs, static_files, views
from web.pages.blueprint import blueprint

if TYPE_CHECKING:
    from flask import Flask

__all__ = [
    "blueprint",
    "context",
    "errors",
    "gates",
    "log_in",
    "payers",
    "paying",
    "register",
    "signs",
    "static_files",
    "views",
]


def register(app: Flask) -> None:
    """Add the pages, their static files and their errors to an application."""
    app.register_blueprint(blueprint)
    context.register(app)
    errors.register(app)
