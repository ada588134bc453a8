"""Log files within a size."""

import os
from pathlib import Path

from city.works.log_files import last_lines, open_log, turn_over


def test_a_log_past_its_limit_is_turned_over_and_its_writer_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "api.log"
    descriptor = open_log(path)
    for number in range(1, 6):
        os.write(descriptor, f"{number}\n".encode() * 10)
        assert turn_over(path, limit_bytes=10, keep=3)
    os.write(descriptor, b"end\n")
    os.close(descriptor)
    assert path.read_text() == "end\n"
    assert [(tmp_path / f"api.log.{n}").read_text()[0] for n in (1, 2, 3)] == ["5", "4", "3"]
    assert not (tmp_path / "api.log.4").exists()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_log_within_its_limit_or_not_there_stays(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("x")
    assert not turn_over(tmp_path / "a.log")
    assert not turn_over(tmp_path / "b.log")


def test_the_last_lines_tell_why_a_process_ended(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("".join(f"{n}\n" for n in range(100)))
    assert last_lines(tmp_path / "a.log", lines=2) == "98\n99"
    assert last_lines(tmp_path / "b.log") == ""
