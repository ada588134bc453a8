"""Pictures and manifests from anybody: what opens, and what is refused with which reason."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from city.errors import Invalid
from lpr.vision.heads import size_of
from lpr.vision.manifests import read_manifest
from lpr.vision.pictures import open_picture, picture_of

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = np.full((40, 120, 3), (200, 60, 10), np.uint8)


def coded(picture: np.ndarray, ending: str = ".png") -> bytes:
    done, content = cv2.imencode(ending, picture)
    assert done
    return content.tobytes()


def png_head(width: int, height: int) -> bytes:
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    length, check = struct.pack(">I", len(head) - 4), struct.pack(">I", zlib.crc32(head))
    return b"\x89PNG\r\n\x1a\n" + length + head + check


def cmyk_tiff() -> bytes:
    """Give a TIFF of four inks, uncompressed, 16x16 pixels of blue."""
    side = 16
    pixels = bytes([255, 255, 0, 0]) * (side * side)  # cyan and magenta: blue
    tags = [
        (256, 3, 1, side),
        (257, 3, 1, side),
        (258, 3, 4, 8 + 2 + 9 * 12 + 4),
        (259, 3, 1, 1),
        (262, 3, 1, 5),
        (273, 4, 1, 8 + 2 + 9 * 12 + 4 + 8),
        (277, 3, 1, 4),
        (278, 3, 1, side),
        (279, 4, 1, len(pixels)),
    ]
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    directory = struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0)
    return b"II*\0" + struct.pack("<I", 8) + directory + struct.pack("<4H", 8, 8, 8, 8) + pixels


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"no picture at all", "known format"),
        (coded(PLAIN)[:60], "damaged"),
        (coded(PLAIN, ".jpg")[:40], "known format"),
        (png_head(100_000, 100_000), "60 million pixels"),
        (coded(PLAIN[:4]), "under 8 pixels"),
    ],
)
def test_what_is_no_usable_picture_is_refused_with_its_reason(content: bytes, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        picture_of(content)


def test_a_huge_jpeg_is_refused_by_its_head() -> None:
    content = bytearray(coded(PLAIN, ".jpg"))
    at = content.index(b"\xff\xc0")
    content[at + 5 : at + 9] = struct.pack(">HH", 65_000, 65_000)
    with pytest.raises(Invalid, match="million pixels"):
        picture_of(bytes(content))


@pytest.mark.parametrize("ending", [".png", ".jpg", ".bmp", ".gif", ".webp", ".tiff"])
def test_every_known_formats_head_tells_its_size(ending: str) -> None:
    content = coded(PLAIN, ending)
    assert size_of(content) == (120, 40)
    assert picture_of(content).shape == (40, 120, 3)
    for length in range(0, min(len(content), 64), 3):
        assert size_of(content[:length]) in {None, (120, 40)}


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([b"\xff\xd8", b"II*\0", b"MM\0*", b"RIFF0000WEBP", b"BM", b"GIF89a", b""]),
    st.binary(max_size=80),
)
def test_no_bytes_break_the_reading_of_heads(head: bytes, rest: bytes) -> None:
    size = size_of(head + rest)
    assert size is None or min(size) >= 0


@pytest.mark.parametrize(
    "picture",
    [
        np.full((40, 120), 90, np.uint8),
        np.full((40, 120, 3), 90 * 257, np.uint16),
        np.full((40, 120, 4), 90, np.uint8),
    ],
    ids=["grey", "16 bits", "transparent"],
)
def test_other_depths_and_colours_become_three_of_eight_bits(picture: np.ndarray) -> None:
    opened = picture_of(coded(picture))
    assert opened.shape == (40, 120, 3)
    assert opened.dtype == np.uint8
    assert np.unique(opened).tolist() == [90]


def test_four_inks_become_three_colours() -> None:
    assert picture_of(cmyk_tiff())[8, 8].tolist() == [255, 0, 0]


def test_the_content_counts_and_not_the_name(tmp_path: Path) -> None:
    path = tmp_path / "really-a-png.jpg"
    path.write_bytes(coded(PLAIN))
    assert np.array_equal(open_picture(path), PLAIN)


def test_of_an_animation_the_first_picture_counts(tmp_path: Path) -> None:
    frames = cv2.Animation()
    frames.frames = [PLAIN, np.zeros_like(PLAIN)]
    frames.durations = [100, 100]
    path = tmp_path / "moving.gif"
    assert cv2.imwriteanimation(str(path), frames)
    assert open_picture(path).mean() > 50


def test_a_folder_and_nothing_are_no_file(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.png"):
        with pytest.raises(Invalid, match="is no file"):
            open_picture(path)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("path,label,kind,form\n", "no column box"),
        ("path,label,kind,form,box\na.png,京A12345,blue7,video,\n", "line 2.*no known form"),
        ("path,label,kind,form,box\n,京A12345,blue7,crop,\n", "line 2.*no path"),
        ("path,label,kind,form,box\na.png,京A12345|京A1,blue7,crop,\n", "not one kind and box"),
        ('path,label,kind,form,box\na.png,京A12345,blue7,scene,"1,2,x,4,5"\n', "no list of numb"),
        ('path,label,kind,form,box\na.png,京A12345,blue7,scene,"1,2"\n', "neither five nor"),
        ('path,label,kind,form,box\na.png,京A12345,blue7,scene,"1,2,nan,4,5"\n', "neither five"),
    ],
)
def test_a_broken_manifest_says_where(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "manifest.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Invalid, match=reason):
        read_manifest(path)


def test_a_box_is_a_turned_rectangle_or_four_corners(tmp_path: Path) -> None:
    path = tmp_path / "manifest.csv"
    path.write_text(
        "path,label,kind,form,box\n"
        'a.png,京A12345,blue7,scene,"50,20,40,10,0"\n'
        'b.png,京A12345|京A12346,blue7|blue7,scene,"30,15,70,15,70,25,30,25;1,1,9,1,9,4,1,4"\n'
        "c.png,,no_plate,scene,\n",
        encoding="utf-8",
    )
    turned, corners, nothing = read_manifest(path)
    for picture in (turned, corners):
        box = picture.plates[0].corners
        assert box is not None
        assert box.min(axis=0).tolist() == [30, 15]
        assert box.max(axis=0).tolist() == [70, 25]
    assert len(corners.plates) == 2
    assert nothing.plates == ()
