"""The floor of every HTTP bench: a bare Flask endpoint that answers JSON, whatever is sent."""

from __future__ import annotations

from flask import Flask, Response, jsonify


def app() -> Flask:
    """Build it."""
    bare = Flask(__name__, static_folder=None)

    @bare.get("/")
    @bare.post("/")
    def _hello() -> Response:
        return jsonify({"hello": "world"})

    return bare
