"""A camera that speaks RTSP 1.0 (RFC 2326): pictures as JPEG over RTP (RFC 2435) in the same line.

A picture's sides are multiples of eight pixels. The quantisation tables go with the first packet of
each picture, the Huffman tables are the standard's, as OpenCV writes them.
"""

from __future__ import annotations

import base64
import itertools
import socketserver
import struct
import time
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lpr.vision.strips import Picture

_CLOCK_HZ: Final = 90_000
_MOST_BYTES: Final = 1_300
_JPEG: Final = 26
_TABLES_WITHIN: Final = 255
_QUANTISATION, _FRAME, _SCAN = 0xDB, 0xC0, 0xDA


class RtspCamera(socketserver.ThreadingTCPServer):
    """Shows its pictures again and again, as fast as a camera would; each line breaks off."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(
        self, pictures: list[Picture], *, fps: float, break_after: int, password: str | None = None
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.coded = [_parts(each) for each in pictures]
        self.sides = pictures[0].shape[1] // 8, pictures[0].shape[0] // 8
        self.fps, self.break_after, self.password = fps, break_after, password
        self.plays = 0

    def address(self, who: str = "") -> str:
        return f"rtsp://{who}127.0.0.1:{self.server_address[1]}/lane"


class _Session(socketserver.StreamRequestHandler):
    server: RtspCamera

    def handle(self) -> None:
        try:
            while (request := self._request()) is not None:
                verb, url, headers = request
                wanted = self.server.password
                if wanted is not None and _password(headers) != wanted:
                    realm = {"WWW-Authenticate": 'Basic realm="camera"'}
                    self._answer(headers, realm, status="401 Unauthorized")
                elif verb == "OPTIONS":
                    self._answer(headers, {"Public": "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN"})
                elif verb == "DESCRIBE":
                    described = (
                        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=lane\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
                        f"m=video 0 RTP/AVP {_JPEG}\r\na=control:track\r\n"
                    )
                    kind = {"Content-Type": "application/sdp", "Content-Base": f"{url}/"}
                    self._answer(headers, kind, described)
                elif verb == "SETUP":
                    way = "RTP/AVP/TCP;unicast;interleaved=0-1"
                    self._answer(headers, {"Transport": way, "Session": "7"})
                elif verb == "PLAY":
                    self._answer(headers, {"Session": "7"})
                    self._play()
                    return
                else:
                    self._answer(headers, {"Session": "7"})
        except OSError:
            return

    def _request(self) -> tuple[str, str, dict[str, str]] | None:
        words = self.rfile.readline().decode().split()
        if len(words) < 2:
            return None
        headers = {}
        while line := self.rfile.readline().decode().strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return words[0], words[1], headers

    def _answer(
        self, asked: dict[str, str], headers: dict[str, str], body: str = "", status: str = "200 OK"
    ) -> None:
        told = {"CSeq": asked.get("cseq", "0"), **headers, "Content-Length": str(len(body))}
        lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        self.wfile.write(f"RTSP/1.0 {status}\r\n{lines}\r\n{body}".encode())

    def _play(self) -> None:
        self.server.plays += 1
        sequence = itertools.count()
        shown = itertools.islice(itertools.cycle(self.server.coded), self.server.break_after)
        for number, (tables, scan) in enumerate(shown):
            stamp = round(number * _CLOCK_HZ / self.server.fps)
            for packet in self._packets(tables, scan, stamp, sequence):
                self.wfile.write(struct.pack(">cBH", b"$", 0, len(packet)) + packet)
            time.sleep(1 / self.server.fps)

    def _packets(
        self, tables: bytes, scan: bytes, stamp: int, sequence: Iterator[int]
    ) -> Iterator[bytes]:
        for offset in range(0, len(scan), _MOST_BYTES):
            part = scan[offset : offset + _MOST_BYTES]
            last = offset + len(part) == len(scan)
            head = struct.pack(
                ">BBHII", 0x80, _JPEG | last << 7, next(sequence) & 0xFFFF, stamp & 0xFFFFFFFF, 7
            )
            # Type 1: luminance has twice the chrominance's samples both ways.
            jpeg = struct.pack(">I", offset) + bytes([1, _TABLES_WITHIN, *self.server.sides])
            yield head + jpeg + (tables if offset == 0 else b"") + part


def _parts(picture: Picture) -> tuple[bytes, bytes]:
    """Give a picture's quantisation tables, with their header, and its coded scan."""
    coded = cv2.imencode(".jpg", np.ascontiguousarray(picture))[1].tobytes()
    tables, at = b"", 2
    while True:
        marker, size = struct.unpack_from(">xBH", coded, at)
        content = coded[at + 4 : at + 2 + size]
        if marker == _QUANTISATION:
            tables += content[1:65]
        elif marker == _FRAME:
            assert content[7] == 0x22
        elif marker == _SCAN:
            scan = coded[at + 2 + size : -2]
            return struct.pack(">BBH", 0, 0, len(tables)) + tables, scan
        at += 2 + size


def _password(headers: dict[str, str]) -> str | None:
    kind, _, value = headers.get("authorization", "").partition(" ")
    if kind != "Basic":
        return None
    return base64.b64decode(value).decode().partition(":")[2]
