"""From plates seen in frames to visits of vehicles: tracks, votes, directions.

A track is one plate followed from frame to frame by where it is and what was read on it. It ends
when it has not been seen for a while, and is then one visit: one event, however many frames showed
it. What is read differs from frame to frame, so frames vote, and no text counts that fewer than two
frames agree on. A car that stands is waited for much longer, as people walk past it: it stays the
one visit that it is.

Everything here is a function of what was seen, so a recorded run gives the same visits again.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from lpr.rules.matching import text_cost
from lpr.rules.reads import Band, BandLimits, PlateRead
from lpr.rules.sightings import FLAT, Direction, Point, Sighting, TrackRules, Trend

_MOST_VOTES: Final = 12
"""Texts kept for a track; of more, those that least speaks for are forgotten."""

_SUREST: Final = 0.999
"""No read counts for more than this one, whatever a net says."""


@dataclass(frozen=True, slots=True)
class Vote:
    """What speaks for one text."""

    reads: int
    weight: float
    """Evidence: sum of -ln(1 - confidence), so that a sure read outweighs several faint ones."""
    best: Sighting
    """The one with the highest confidence; it has a read."""


@dataclass(frozen=True, slots=True)
class Track:
    """A plate that is followed."""

    number: int
    first: Sighting
    last: Sighting
    speed_px_s: Point = (0.0, 0.0)
    sightings: int = 1
    votes: Mapping[str, Vote] = field(default_factory=dict)
    regions: Mapping[str, int] = field(default_factory=dict)
    anchor: Sighting | None = None
    """Where it began to stand, if it stands."""
    stood_s: float = 0.0
    """Its longest stand."""
    width_trend: Trend = FLAT
    side_trend: Trend = FLAT

    @property
    def parked(self) -> Sighting:
        """Give the sighting from which on it has not moved."""
        return self.anchor or self.last


@dataclass(frozen=True, slots=True)
class Visit:
    """A vehicle that came, stood or passed, and went."""

    number: int
    read: PlateRead
    """The read that most speaks for; confidences are those of its clearest frame."""
    band: Band
    """Accepted only where enough frames agree and together outweigh all others."""
    share: float
    """Of the weight of all votes, 0 to 1."""
    reads: int
    agreeing: int
    others: tuple[tuple[str, int], ...]
    """Other texts that were read, the most frequent first."""
    first_s: float
    last_s: float
    stood_s: float
    left: bool | None
    """Whether it was seen driving off after it had stood; None where it never stood. False: it was
    lost from sight, or is still there."""
    direction: Direction
    region: str | None
    best: Sighting


@dataclass(frozen=True, slots=True)
class Tracks:
    """All that is followed now."""

    live: tuple[Track, ...] = ()
    next_number: int = 1


def step(
    tracks: Tracks,
    at_s: float,
    sightings: Sequence[Sighting],
    rules: TrackRules,
    bands: BandLimits,
) -> tuple[Tracks, tuple[Visit, ...]]:
    """Take a frame's sightings, and end what has not been seen for too long.

    Parameters
    ----------
    tracks : Tracks
    at_s : float
        The frame's time; a frame without sightings counts too.
    sightings : Sequence of Sighting
    rules : TrackRules
    bands : BandLimits
        Of the reader.

    Returns
    -------
    tuple of Tracks, tuple of Visit
        Visits that ended, in the order of their beginning.

    Notes
    -----
    Costs time in proportion to tracks times sightings: a few of each.
    """
    # What was not seen for too long is over, whatever is seen now.
    over = [track for track in tracks.live if at_s - track.last.at_s > _patience_s(track, rules)]
    followed = [track for track in tracks.live if track not in over]
    pairs = sorted(
        (cost, t, s)
        for t, track in enumerate(followed)
        for s, sighting in enumerate(sightings)
        if (cost := _distance(track, sighting, rules, bands)) is not None
    )
    # The nearest first: plates do not overlap, so a better whole by a worse nearest is no case.
    taken: dict[int, int] = {}
    for _, t, s in pairs:
        if t not in taken and s not in taken.values():
            taken[t] = s
    live = [
        _followed(track, sightings[taken[t]], rules) if t in taken else track
        for t, track in enumerate(followed)
    ]
    number = tracks.next_number
    for s, sighting in enumerate(sightings):
        if s not in taken.values():
            live.append(_begun(number, sighting))
            number += 1
    return Tracks(tuple(live), number), _visits(over, rules, bands)


def finish(tracks: Tracks, rules: TrackRules, bands: BandLimits) -> tuple[Visit, ...]:
    """End everything: the source is over."""
    return _visits(tracks.live, rules, bands)


def so_far(track: Track, rules: TrackRules, bands: BandLimits) -> Visit | None:
    """Give the visit of a vehicle that is still there; None where nothing was read on it yet."""
    return _visit(track, rules, bands)


def region_of(track: Track) -> str | None:
    """Give the region in which most sightings of a vehicle lay."""
    return min(track.regions, key=lambda name: (-track.regions[name], name), default=None)


def stands(track: Track, rules: TrackRules) -> bool:
    """Say whether a vehicle stands, as far as it was seen last."""
    return track.last.at_s - track.parked.at_s >= rules.parked_after_s


def _patience_s(track: Track, rules: TrackRules) -> float:
    return rules.parked_lost_after_s if stands(track, rules) else rules.lost_after_s


def _distance(
    track: Track, sighting: Sighting, rules: TrackRules, bands: BandLimits
) -> float | None:
    """Give how far a sighting is from where a track is expected, in widths; None for too far."""
    since_s = max(0.0, sighting.at_s - track.last.at_s)
    expected = (
        track.last.centre[0] + track.speed_px_s[0] * since_s,
        track.last.centre[1] + track.speed_px_s[1] * since_s,
    )
    width_px = max(track.last.width_px, sighting.width_px)
    # What stopped is where it was, not where it was going.
    away = min(math.dist(expected, sighting.centre), math.dist(track.last.centre, sighting.centre))
    reach = rules.reach + rules.reach_per_s * min(since_s, rules.lost_after_s)
    if sighting.read is not None and track.votes:
        text, vote = _winner(track.votes)
        cost = text_cost(text, sighting.read.text)
        both_sure = (
            sighting.read.band(bands) is Band.ACCEPT
            and vote.best.read is not None
            and vote.best.read.band(bands) is Band.ACCEPT
        )
        if cost >= rules.other_text_cost and both_sure:
            return None
        if cost <= rules.same_text_cost:
            away /= rules.same_text_reach
    distance = away / width_px
    return distance if distance <= reach else None


def _begun(number: int, sighting: Sighting) -> Track:
    return _voted(Track(number, sighting, sighting, anchor=sighting), sighting)


def _followed(track: Track, sighting: Sighting, rules: TrackRules) -> Track:
    since_s = sighting.at_s - track.last.at_s
    speed = track.speed_px_s
    if since_s > 0:
        speed = (
            (sighting.centre[0] - track.last.centre[0]) / since_s,
            (sighting.centre[1] - track.last.centre[1]) / since_s,
        )
    moved = math.dist(track.parked.centre, sighting.centre) / sighting.width_px
    grown = abs(math.log(sighting.width_px / track.parked.width_px))
    anchor = track.parked
    if moved > rules.still_within or grown > rules.still_growth:
        anchor = sighting
    return _voted(
        replace(
            track,
            last=sighting,
            speed_px_s=speed,
            sightings=track.sightings + 1,
            anchor=anchor,
            stood_s=max(track.stood_s, sighting.at_s - anchor.at_s),
        ),
        sighting,
    )


def _voted(track: Track, sighting: Sighting) -> Track:
    at_s = sighting.at_s - track.first.at_s
    regions = dict(track.regions)
    if sighting.region is not None:
        regions[sighting.region] = regions.get(sighting.region, 0) + 1
    votes = dict(track.votes)
    read = sighting.read
    if read is not None:
        known = votes.get(read.text)
        if known is None:
            votes[read.text] = Vote(1, _weight(read), sighting)
        else:
            better = known.best.read is None or read.confidence > known.best.read.confidence
            votes[read.text] = Vote(
                known.reads + 1,
                known.weight + _weight(read),
                sighting if better else known.best,
            )
        if len(votes) > _MOST_VOTES:
            del votes[min(votes, key=lambda text: votes[text].weight)]
    return replace(
        track,
        votes=votes,
        regions=regions,
        width_trend=track.width_trend.taken(at_s, math.log(sighting.width_px)),
        side_trend=track.side_trend.taken(at_s, sighting.centre[0]),
    )


def _weight(read: PlateRead) -> float:
    return -math.log(1 - min(read.confidence, _SUREST))


def _winner(votes: Mapping[str, Vote]) -> tuple[str, Vote]:
    """Give the text with the greatest weight; of equals the one that sorts first."""
    return min(votes.items(), key=lambda item: (-item[1].weight, item[0]))


def _direction(track: Track, rules: TrackRules) -> Direction:
    over_s = track.last.at_s - track.first.at_s
    growth = track.width_trend.change(over_s)
    width_px = math.sqrt(track.first.width_px * track.last.width_px)
    aside = track.side_trend.change(over_s) / width_px
    # A plate that comes nearer also moves in the picture; its growth says more.
    if abs(growth) >= rules.near_growth:
        return Direction.APPROACHING if growth > 0 else Direction.LEAVING
    if abs(aside) >= rules.aside:
        return Direction.RIGHT if aside > 0 else Direction.LEFT
    return Direction.STANDING


def _visits(tracks: Sequence[Track], rules: TrackRules, bands: BandLimits) -> tuple[Visit, ...]:
    made = (_visit(track, rules, bands) for track in sorted(tracks, key=lambda each: each.number))
    return tuple(visit for visit in made if visit is not None)


def _visit(track: Track, rules: TrackRules, bands: BandLimits) -> Visit | None:
    """Make a visit of a track; None where nothing was ever read on it."""
    if not track.votes:
        return None
    text, vote = _winner(track.votes)
    read = vote.best.read
    if read is None:
        return None
    weight = sum(each.weight for each in track.votes.values())
    share = vote.weight / weight if weight > 0 else 0.0
    band = read.band(bands)
    if band is Band.ACCEPT and (vote.reads < rules.agreeing_reads or share <= 0.5):  # noqa: PLR2004 - more than all others together
        band = Band.REVIEW
    others = sorted(
        ((other, each.reads) for other, each in track.votes.items() if other != text),
        key=lambda item: (-item[1], item[0]),
    )
    return Visit(
        number=track.number,
        read=read,
        band=band,
        share=share,
        reads=sum(each.reads for each in track.votes.values()),
        agreeing=vote.reads,
        others=tuple(others),
        first_s=track.first.at_s,
        last_s=track.last.at_s,
        stood_s=track.stood_s,
        left=None if track.stood_s < rules.parked_after_s else not stands(track, rules),
        direction=_direction(track, rules),
        region=region_of(track),
        best=vote.best,
    )
