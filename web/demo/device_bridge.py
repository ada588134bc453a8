"""A simulated device bridge: what a handheld's maker provides for printer, scan head and reader.

``python -m web.demo.device_bridge --origin http://127.0.0.1:8000`` listens on the handheld itself,
at the address that the app knows; docs/bridge.md says what is on the line. Beside that it takes
what a person would do at a real one: ``POST /simulate/scan``, ``/simulate/card`` (both with a
`text`), ``/simulate/paper`` (with `out`), and gives what was printed at ``GET /simulate/prints``.
"""

from __future__ import annotations

import argparse
import json
import queue
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from web.bridge_protocol import (
    EVENTS,
    HELLO,
    KEEP_ALIVE_S,
    MOST_BYTES,
    PORT,
    PRINTS,
    PROTOCOL,
    Receipt,
    read_receipt,
)

WIDE: Final = 32
"""Latin characters in a line of 58 mm; Chinese ones are two wide."""


class Bridge(ThreadingHTTPServer):
    """A bridge that one page at a time listens to.

    Parameters
    ----------
    port : int
        Where it listens, on this device alone; 0: any.
    origin : str
        The one that may speak to it.
    """

    daemon_threads = True

    def __init__(self, port: int, origin: str) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.origin = origin
        self.paper_out = False
        self.printed: dict[str, Receipt] = {}
        self._lock = threading.Lock()
        self._listeners: list[queue.SimpleQueue[tuple[str, str]]] = []

    def listen(self) -> queue.SimpleQueue[tuple[str, str]]:
        """Take a page that listens."""
        mine: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        with self._lock:
            self._listeners.append(mine)
        return mine

    def leave(self, mine: queue.SimpleQueue[tuple[str, str]]) -> None:
        """Forget one that went."""
        with self._lock:
            self._listeners.remove(mine)

    @property
    def heard(self) -> bool:
        """Whether a page listens."""
        return bool(self._listeners)

    def tell(self, kind: str, text: str) -> None:
        """Tell whoever listens what was scanned or read."""
        with self._lock:
            for each in self._listeners:
                each.put((kind, text))

    def print_once(self, receipt: Receipt) -> tuple[int, dict[str, Any]]:
        """Print a receipt; one that was printed under its id is not printed again."""
        with self._lock:
            if receipt.id in self.printed:
                return 200, {"id": receipt.id, "again": True}
            if self.paper_out:
                return 409, {"reason": "paper"}
            self.printed[receipt.id] = receipt
        sys.stdout.write("\n".join([*receipt.as_text(WIDE), ""]))
        sys.stdout.flush()
        return 201, {"id": receipt.id, "again": False}


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Bridge
    protocol_version = "HTTP/1.1"

    def do_OPTIONS(self) -> None:
        """Say who may ask."""
        self._answer(204, None)

    def do_GET(self) -> None:
        """Say what it is, tell what is read, or show what was printed."""
        if self.path == HELLO:
            can = ["print", "scan", "card"]
            self._answer(
                200, {"protocol": PROTOCOL, "maker": "Greenbay", "model": "simulated", "can": can}
            )
        elif self.path == EVENTS:
            self._tell_events()
        elif self.path == "/simulate/prints":
            prints = [each.as_text(WIDE) for each in self.server.printed.values()]
            self._answer(200, {"items": prints})
        else:
            self._answer(404, {"reason": "path"})

    def do_POST(self) -> None:
        """Print, or do what a person would do at a real one."""
        said = self._body()
        if said is None:
            return
        if self.path == PRINTS:
            receipt = read_receipt(said)
            if isinstance(receipt, str):
                self._answer(422, {"reason": "receipt", "detail": receipt})
            else:
                self._answer(*self.server.print_once(receipt))
        elif self.path in {"/simulate/scan", "/simulate/card"}:
            self.server.tell(self.path.rpartition("/")[2], str(said.get("text", "")))
            self._answer(204, None)
        elif self.path == "/simulate/paper":
            self.server.paper_out = said.get("out") is True
            self._answer(204, None)
        else:
            self._answer(404, {"reason": "path"})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Say nothing: a scanned code is money for a minute and stands in no log."""

    def _body(self) -> dict[str, Any] | None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > MOST_BYTES:
            self.close_connection = True
            self._answer(413, {"reason": "large"})
            return None
        try:
            said = json.loads(self.rfile.read(length) or b"{}")
        except ValueError:
            said = None
        if not isinstance(said, dict):
            self._answer(400, {"reason": "json"})
            return None
        return said

    def _tell_events(self) -> None:
        mine = self.server.listen()
        try:
            self._head(200, "text/event-stream")
            self.close_connection = True
            self.end_headers()
            self.wfile.write(b": listening\n\n")
            while True:
                try:
                    kind, text = mine.get(timeout=KEEP_ALIVE_S)
                    line = f"event: {kind}\ndata: {json.dumps({'text': text})}\n\n"
                except queue.Empty:
                    line = ": still here\n\n"
                self.wfile.write(line.encode())
        except OSError:
            return  # the page went
        finally:
            self.server.leave(mine)

    def _head(self, status: int, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Access-Control-Allow-Origin", self.server.origin)
        self.send_header("Access-Control-Allow-Methods", "GET, POST")
        self.send_header("Access-Control-Allow-Headers", "Content-Type")
        self.send_header("Access-Control-Allow-Private-Network", "true")

    def _answer(self, status: int, body: dict[str, Any] | None) -> None:
        content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        self._head(status, "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def main() -> int:
    """Listen until it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--origin", required=True, help="of the pages that may speak to it")
    parser.add_argument("--port", type=int, default=PORT)
    options = parser.parse_args()
    with Bridge(options.port, options.origin) as bridge:
        sys.stderr.write(f"a simulated bridge on port {bridge.server_port}\n")
        bridge.serve_forever()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
