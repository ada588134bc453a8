"""The gateway's web application and the server that it runs in."""

import hashlib
import json
import socket
import threading
from dataclasses import asdict
from typing import Final

from flask import Flask, Response, g, request
from pydantic import JsonValue
from werkzeug.exceptions import HTTPException
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from city.errors import Invalid
from city.time import Clock, WallClock
from payments.gateway.alipay import Alipay
from payments.gateway.codes import code_routes
from payments.gateway.desk import Desk, WechatKeys
from payments.gateway.faults import Fault, Faults
from payments.gateway.journal import Journal
from payments.gateway.keys import Keys
from payments.gateway.notifier import Notifier
from payments.gateway.payer import order_json, payer_routes
from payments.gateway.signing import signing_routes
from payments.gateway.unionpay import UnionPay
from payments.gateway.wechat import WechatPay
from payments.gateway.wechat_app import app_routes
from payments.rules.channels import Channel

_CHANNEL_PATHS: Final = ("/v3/", "/gateway.do", "/gateway/api/")
_LARGEST_REQUEST_BYTES: Final = 1024 * 1024
_MOST_ORDERS_SHOWN: Final = 1000
_HOST: Final = "127.0.0.1"
_BACKLOG: Final = 128


def create_app(desk: Desk) -> Flask:
    """Build the application over a desk."""
    app = Flask("payments.gateway", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = _LARGEST_REQUEST_BYTES
    wechat, alipay, unionpay = WechatPay(desk), Alipay(desk), UnionPay(desk)
    desk.channels.update(
        {Channel.WECHAT: wechat, Channel.ALIPAY: alipay, Channel.UNIONPAY: unionpay}
    )
    for routes in (wechat.routes(), alipay.routes(), unionpay.routes()):
        app.register_blueprint(routes)
    app.register_blueprint(code_routes(desk))
    app.register_blueprint(payer_routes(desk, alipay.return_address))
    app.register_blueprint(signing_routes(desk))
    app.register_blueprint(app_routes(desk))

    fails = Fault.SERVER_ERROR in desk.faults.shares

    @app.before_request
    def fail_before() -> Response | None:
        g.failure = None
        if fails and request.path.startswith(_CHANNEL_PATHS):
            g.failure = desk.faults.server_error(desk.repetition(_request_name()))
        return None if g.failure is None or g.failure[1] else _failed(g.failure[0])

    @app.after_request
    def fail_after(response: Response) -> Response:
        failure = g.get("failure")
        return _failed(failure[0]) if failure and failure[1] else response

    @app.errorhandler(HTTPException)
    def say_no(error: HTTPException) -> Response:
        return _json({"code": "NOT_SERVED", "message": error.name}, error.code or 500)

    @app.get("/gateway/keys")
    def keys() -> Response:
        return _json(desk.keys.client_document(desk.address))

    @app.get("/gateway/figures")
    def figures() -> Response:
        channels: dict[str, JsonValue] = {
            name: dict(counts) for name, counts in desk.figures().items()
        }
        return _json({"channels": channels, "notifications": asdict(desk.notifier.counts())})

    @app.get("/gateway/orders")
    def orders() -> Response:
        try:
            start = int(request.args.get("from", "0"))
        except ValueError:
            return _json({"code": "PARAM_ERROR", "message": "from is not a number"}, 400)
        found = desk.book.orders()[max(0, start) :][:_MOST_ORDERS_SHOWN]
        return _json({"orders": [order_json(order) for order in found]})

    return app


class Gateway:
    """A gateway that serves on a local port until it is stopped.

    Parameters
    ----------
    keys : Keys
        Everybody's keys.
    port : int
        Where it listens on the loopback address; 0 takes a free one.
    faults : Faults
        What goes wrong.
    speed : float
        How many of the channels' seconds pass in one of ours.
    wechat_keys : WechatKeys
        Which keys WeChat Pay signs with.
    open_day : bool
        Whether the bill of a day under way is given.
    clock : Clock or None
        Wall time where None.
    journal : Journal or None
        Where it keeps its orders and what it owes to merchants, and goes on from; closed by `stop`.

    Raises
    ------
    Invalid
        Where the port is taken or may not be listened on.
    """

    def __init__(
        self,
        keys: Keys,
        *,
        port: int = 0,
        faults: Faults | None = None,
        speed: float = 1.0,
        wechat_keys: WechatKeys = WechatKeys.CERTIFICATE,
        open_day: bool = False,
        clock: Clock | None = None,
        journal: Journal | None = None,
    ) -> None:
        faults = faults or Faults()
        self.journal = journal
        self.notifier = Notifier(faults, speed, journal=journal)
        self.desk = Desk(
            keys=keys,
            clock=clock or WallClock(),
            notifier=self.notifier,
            faults=faults,
            address="",
            wechat_keys=wechat_keys,
            open_day=open_day,
            journal=journal,
        )
        try:
            # Bound here: the library prints three lines of its own where a port is taken.
            with socket.create_server((_HOST, port), backlog=_BACKLOG) as listening:
                self._server: BaseWSGIServer = make_server(
                    _HOST,
                    port,
                    create_app(self.desk),
                    threaded=True,
                    request_handler=_Quiet,
                    fd=listening.fileno(),
                )
        except OSError:
            self._end()
            raise Invalid(f"{port} cannot be listened on", field="--port") from None
        self.desk.address = f"http://{_HOST}:{self._server.port}"
        self._thread: threading.Thread | None = None
        self.desk.resume()

    @property
    def address(self) -> str:
        """Where it is reached."""
        return self.desk.address

    def start(self) -> None:
        """Serve from a thread of its own."""
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="gateway",
            daemon=True,
        )
        self._thread.start()

    def stop(self) -> None:
        """Serve and notify nothing more."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None
        self._server.server_close()
        self._end()

    def _end(self) -> None:
        self.notifier.stop()
        if self.journal is not None:
            self.journal.close()


class _Quiet(WSGIRequestHandler):
    """Writes no log: requests hold tokens, and stdout is for results."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


def _request_name() -> str:
    """Name what a request asks for, without its nonce and signature, for draws of faults."""
    if request.path.startswith("/v3/"):
        body = request.get_data()
        return f"wechat:{request.method}:{request.path}:{hashlib.sha256(body).hexdigest()}"
    values = request.values
    if request.path == "/gateway.do":
        return f"alipay:{values.get('method')}:{values.get('biz_content')}"
    return f"unionpay:{request.path}:{values.get('txnType')}:{values.get('orderId')}"


def _failed(status: int) -> Response:
    return Response("<html><body>gateway error</body></html>", status, mimetype="text/html")


def _json(content: dict[str, JsonValue], status: int = 200) -> Response:
    return Response(json.dumps(content, ensure_ascii=False), status, mimetype="application/json")
