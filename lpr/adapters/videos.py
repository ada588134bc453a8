"""Frames of a video file or a camera's stream, each with its time.

A file is read from its first frame to its last. A stream cannot wait: a thread reads it all the
time and keeps the latest frame alone, so that who is slow misses frames and never falls behind;
where the line breaks it is opened again, at growing intervals. Needs no display and no GPU: frames
are unpacked by the FFmpeg inside OpenCV's headless build.
"""

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import cv2
import numpy as np

from city.errors import Invalid
from lpr.vision.watching import Frame

STREAM_SCHEMES: Final = frozenset({"rtsp", "rtsps", "http", "https"})
MOST_PIXELS: Final = 33_200_000
"""Of a frame: 8K. What is larger is no camera's."""
MOST_SECONDS: Final = 366 * 86_400.0
"""Times beyond this are a damaged file's."""
OPEN_WITHIN_S: Final = 10.0
SILENT_AFTER_S: Final = 10.0
FIRST_WAIT_S: Final = 0.5
LONGEST_WAIT_S: Final = 30.0
_USUAL_FPS: Final = 25.0
_TICK_S: Final = 1.0
_FFMPEG_OPTIONS: Final = "OPENCV_FFMPEG_CAPTURE_OPTIONS"


@dataclass(slots=True)
class Health:
    """How a source does."""

    frames: int = 0
    """Received, looked at or not."""
    dropped: int = 0
    """Of a stream: overtaken by a later one before anybody took them."""
    connects: int = 0
    """Times that it was opened."""
    failures: int = 0
    """Times that it could not be opened, or broke off."""
    broken: int = 0
    """Frames that could not be unpacked."""


def is_stream(source: str) -> bool:
    """Say whether a source is the address of a stream, not a file."""
    return urlsplit(source).scheme.lower() in STREAM_SCHEMES


def shown(source: str) -> str:
    """Give a source's name without a password in it."""
    if not is_stream(source):
        return source
    parts = urlsplit(source)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()


class FileFrames:
    """The frames of a file.

    Parameters
    ----------
    path : Path

    Raises
    ------
    Invalid
        Where it is no file or no video that can be unpacked.
    """

    def __init__(self, path: Path) -> None:
        self.health = Health()
        if not path.is_file():
            raise Invalid("is no file", field=str(path))
        self._video = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        if not self._video.isOpened():
            raise Invalid("is no video that can be read", field=str(path))
        _refuse_huge(self._video, str(path))
        self.health.connects = 1
        told = self._video.get(cv2.CAP_PROP_FPS)
        self._fps = told if 0.1 <= told <= 1000 else _USUAL_FPS  # noqa: PLR2004 - else it is damaged

    def __iter__(self) -> Iterator[Frame]:
        """Give the frames in order; a truncated file ends where it ends."""
        last_s = -1.0
        try:
            while True:
                with _quiet():
                    there, picture = self._video.read()
                if not there or picture is None:
                    return
                number = self.health.frames
                self.health.frames += 1
                told_s = self._video.get(cv2.CAP_PROP_POS_MSEC) / 1000
                # Where a file's times stand still or leap, its frame rate tells better.
                sound = np.isfinite(told_s) and last_s < told_s <= MOST_SECONDS
                at_s = told_s if sound else last_s + 1 / self._fps
                last_s = max(0.0, at_s)
                yield Frame(number, last_s, np.asarray(picture, np.uint8))
        finally:
            self._video.release()


class StreamFrames:
    """The latest frames of a stream, for as long as somebody asks.

    Parameters
    ----------
    address : str
        ``rtsp://``, ``rtsps://``, ``http://`` or ``https://``.
    give_up_after_s : float or None
        End where nothing came for so long; None to try for ever.
    """

    def __init__(self, address: str, give_up_after_s: float | None = None) -> None:
        self.health = Health()
        self._address = address
        self._give_up_after_s = give_up_after_s
        self._stop = threading.Event()
        self._news = threading.Condition()
        self._latest: Frame | None = None
        self._over = False
        self._began_s = time.monotonic()

    def __iter__(self) -> Iterator[Frame]:
        """Give the latest frame each time one is asked for; frames between are dropped."""
        reader = threading.Thread(target=self._read, name="camera", daemon=True)
        reader.start()
        try:
            while True:
                with self._news:
                    if self._latest is None and not self._over:
                        self._news.wait(_TICK_S)
                    frame, self._latest = self._latest, None
                    over = self._over
                if frame is not None:
                    yield frame
                elif over:
                    return
                else:
                    yield Frame(self.health.frames, time.monotonic() - self._began_s, None)
        finally:
            self._stop.set()
            reader.join(OPEN_WITHIN_S)

    def _read(self) -> None:
        last_s = time.monotonic()
        wait_s = FIRST_WAIT_S
        try:
            while not self._stop.is_set():
                received = self._read_until_it_breaks()
                self.health.failures += 1
                if received:
                    wait_s, last_s = FIRST_WAIT_S, time.monotonic()
                silent_s = time.monotonic() - last_s
                if self._give_up_after_s is not None and silent_s >= self._give_up_after_s:
                    return
                self._stop.wait(wait_s)
                wait_s = min(LONGEST_WAIT_S, 2 * wait_s)
        finally:
            with self._news:
                self._over = True
                self._news.notify_all()

    def _read_until_it_breaks(self) -> bool:
        received = False
        # A stream over UDP would show torn pictures where packets are lost.
        os.environ.setdefault(_FFMPEG_OPTIONS, "rtsp_transport;tcp")
        limits = [
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
            round(OPEN_WITHIN_S * 1000),
            cv2.CAP_PROP_READ_TIMEOUT_MSEC,
            round(SILENT_AFTER_S * 1000),
        ]
        with _quiet():
            video = cv2.VideoCapture(self._address, cv2.CAP_FFMPEG, limits)
        try:
            if not video.isOpened():
                return False
            _refuse_huge(video, shown(self._address))
            self.health.connects += 1
            while not self._stop.is_set():
                with _quiet():
                    there, picture = video.read()
                if not there or picture is None:
                    return received
                received = True
                self._keep(
                    Frame(
                        self.health.frames,
                        time.monotonic() - self._began_s,
                        np.asarray(picture, np.uint8),
                    )
                )
        except Invalid:
            return received
        finally:
            video.release()
        return received

    def _keep(self, frame: Frame) -> None:
        with self._news:
            self.health.frames += 1
            self.health.dropped += self._latest is not None
            self._latest = frame
            self._news.notify_all()


def _refuse_huge(video: cv2.VideoCapture, name: str) -> None:
    width, height = (
        video.get(cv2.CAP_PROP_FRAME_WIDTH),
        video.get(cv2.CAP_PROP_FRAME_HEIGHT),
    )
    if width * height > MOST_PIXELS:
        video.release()
        raise Invalid(
            f"has frames of more than {MOST_PIXELS // 1_000_000} million pixels", field=name
        )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Let nothing but an error of OpenCV's own pass for an end of the video."""
    try:
        yield
    except cv2.error as error:
        raise Invalid(f"cannot be unpacked ({error.code})", field="video") from None
