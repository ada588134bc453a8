"""Rendering one page: the shell's context, the page's own, and headers that pages need."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, render_template


def page(
    template: str, http_status: int = 200, subject: str | None = None, **values: Any
) -> Response:
    """Return a rendered page.

    Parameters
    ----------
    template
        Its file in ``web/templates``.
    http_status
        HTTP status code.
    subject
        Id of what the page is about, for its script.
    **values
        Further names of the template.
    """
    response = make_response(render_template(template, subject=subject, **values), http_status)
    # A page carries its reader's name and token: it is for this reader alone, and now.
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Vary"] = "Cookie, Accept-Language"
    return response
