"""What `watch` tells the city: a lane, the bays of a kerb, or a signal."""

import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from city.command_line import CommandLine
from city.errors import Invalid, Unavailable
from city.time import Clock
from lpr.adapters.bay_push import BayPush
from lpr.adapters.bay_votes import BayVotes
from lpr.adapters.lane_push import LanePush
from lpr.adapters.stop_line import StopLine
from lpr.rules.bay_states import BayChange
from lpr.rules.sightings import Region
from lpr.rules.tracking import Visit
from lpr.vision.moments import Moments
from lpr.vision.strips import Picture

Arrived = Callable[[Visit, Picture | None], None]
Changed = Callable[[float, Sequence[BayChange]], None]


def _nothing(*_: object) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class ToldCity:
    """What is called as a camera sees vehicles; nothing where the city is told nothing."""

    arrived: Arrived | None = None
    """A vehicle is there, and its read is sure."""
    changed: Changed | None = None
    """A frame was looked at, and bays changed with it."""
    over: Callable[[Visit, Moments], None] = _nothing
    close: Callable[[], None] = _nothing
    once_parked: bool = False


def add_options(line: CommandLine) -> None:
    """Add the options that say whom to tell."""
    line.add_argument(
        "--lane", metavar="URL", help="send reads to a lane: https://HOST/api/v1/lanes/ID"
    )
    line.add_argument(
        "--bays",
        metavar="URL",
        help="send the reads and frames of parked vehicles to the bays that name the regions: "
        "https://HOST/api/v1/bays",
    )
    line.add_argument(
        "--votes",
        metavar="NAME",
        help="also say which bays are taken, as the devices NAME:BAY (an integration's credential)",
    )
    line.add_argument(
        "--stop-line",
        metavar="URL",
        help="tell a signal who drives off from the lanes whose numbers name the regions: "
        "https://HOST/api/v1/signal-passes",
    )
    line.add_argument("--token-file", metavar="FILE", help="the camera's credential, for these")


def check_options(given: Namespace) -> None:
    """Refuse options that do not go together.

    Raises
    ------
    Invalid
        Naming them.
    """
    doors = [each for each in (given.lane, given.bays, given.stop_line) if each is not None]
    if len(doors) > 1:
        raise Invalid("are of several cameras", field="--lane, --bays and --stop-line")
    if bool(doors) != (given.token_file is not None):
        raise Invalid("go together", field="--lane, --bays or --stop-line and --token-file")
    if given.votes is not None and given.bays is None:
        raise Invalid("is of bays: see --bays", field="--votes")
    if given.regions is None and (given.bays is not None or given.stop_line is not None):
        what, field = ("bays", "--bays") if given.bays is not None else ("lanes", "--stop-line")
        raise Invalid(f"names no {what} without --regions", field=field)


def told_city(
    prog: str, given: Namespace, model: str, regions: Sequence[Region], clock: Clock
) -> ToldCity:
    """Open the lines that the options ask for.

    Parameters
    ----------
    prog : str
        What failures on standard error begin with.
    given : Namespace
        Checked options.
    model : str
        Version of the reader.
    regions : sequence of Region
    clock : Clock

    Raises
    ------
    Invalid
        Where an address is none, or the credential cannot be read.
    """

    def failed(why: str) -> None:
        sys.stderr.write(f"{prog}: {why}\n")

    token = Path(given.token_file or "")
    if given.lane is not None:
        return ToldCity(_lane(LanePush(given.lane, token, model, clock), failed))
    if given.stop_line is not None:
        stop_line = StopLine(given.stop_line, token, regions, clock, failed)
        return ToldCity(
            changed=stop_line.hear,
            over=lambda visit, _: stop_line.passed(visit),
            close=stop_line.close,
        )
    if given.bays is None:
        return ToldCity()
    return told_bays(given.bays, token, regions, clock, failed, votes=given.votes)


def told_bays(
    address: str,
    token_file: Path,
    regions: Sequence[Region],
    clock: Clock,
    failed: Callable[[str], None],
    *,
    votes: str | None,
) -> ToldCity:
    """Open the lines of a camera at a kerb.

    Parameters
    ----------
    address, token_file, regions, clock, failed
        As `BayPush` has them.
    votes : str or None
        What the camera's devices are called, where it votes on its bays.
    """
    bays = BayPush(address, token_file, regions, clock, failed)
    voting = None if votes is None else BayVotes(address, token_file, votes, clock, failed)

    def changed(at_s: float, changes: Sequence[BayChange]) -> None:
        bays.hear(at_s)
        if voting is not None:
            voting.hear(at_s, changes)

    return ToldCity(bays.send, changed, bays.over, bays.close, once_parked=True)


def _lane(push: LanePush, failed: Callable[[str], None]) -> Arrived:
    def send(visit: Visit, picture: Picture | None) -> None:
        try:
            push.send(visit, picture)
        except Unavailable as error:
            failed(str(error))

    return send
