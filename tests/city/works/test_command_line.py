"""What a command line takes as a value, and what it says about what it does not know."""

import ctypes

import pytest

from city.command_line import CommandLine


def line() -> CommandLine:
    line = CommandLine("signals", "test", "", "")
    line.add_argument("--close", metavar="LANE", action="append", default=[])
    line.add_argument("--scale", type=float, default=1.0)
    return line


def test_a_name_may_begin_with_a_dash_as_roads_of_sumo_do() -> None:
    given = line().parse_args(["--close", "-241660955#17_0", "--scale", "-1", "--close", "a_1"])
    assert given.close == ["-241660955#17_0", "a_1"]
    assert given.scale == -1.0


@pytest.mark.parametrize("wrong", [["-x"], ["--close"], ["--close", "--scale", "2"], ["--clos=a"]])
def test_what_is_no_value_is_refused_in_one_line(
    wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        line().parse_args(wrong)
    assert left.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_what_a_library_prints_stands_apart_from_the_answer(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with line().libraries_to_stderr():
        ctypes.CDLL(None).printf(b"solved\n")
    line().answer({"found": 1})
    printed = capfd.readouterr()
    assert printed.out == '{"found": 1}\n'
    assert printed.err == "solved\n"
