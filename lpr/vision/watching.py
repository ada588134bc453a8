"""Watching a video: look, read, follow, and give one visit a vehicle.

Most frames show what the one before showed, so a frame in which nothing moved is not looked at
again (only now and then, as light creeps in slowly). And a plate round which nothing moved is still
there, whether or not the detector found it in this frame too.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import cv2
import numpy as np

from lpr.rules.bay_states import BayChange, BayState, bay_changes
from lpr.rules.reads import Band, BandLimits
from lpr.rules.sightings import Point, Region, Sighting, TrackRules
from lpr.rules.tracking import Tracks, Visit, finish, so_far, step
from lpr.vision.moments import NO_MOMENTS, Moments, noted
from lpr.vision.reading import Floats, ReadPlate
from lpr.vision.strips import Picture

_THUMBNAIL_PX: Final = (96, 54)
_MOVED_LEVELS: Final = 12.0
"""Of 255, in any pixel of the thumbnail: noise and rain are less."""
_LOOK_AT_LEAST_EVERY_S: Final = 1.0
_PATCH_GROWN: Final = 2.0
_DARK_LEVEL: Final = 8.0
_FLAT_LEVELS: Final = 3.0


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture and when it was taken."""

    number: int
    """From 0 on; of a stream, also those that nobody took are counted."""
    at_s: float
    """Since the source began."""
    picture: Picture | None
    """None of a stream from which nothing came for a second: time passes all the same."""


class PlateReader(Protocol):
    """Finds and reads the plates in a picture."""

    def __call__(self, picture: Picture) -> list[ReadPlate]:
        """Give what was read, best find first."""


@dataclass(slots=True)
class Looks:
    """What became of the frames."""

    read: int = 0
    unmoved: int = 0
    """Shown nothing new, and not read again."""
    between: int = 0
    """Came sooner after the last than the rate asked for."""
    blind: int = 0
    """Too dark or too flat to show anything: a cap, fog, a spider's web, night without light."""
    took_s: float = 0.0
    """Of reading."""


class Watch:
    """One camera's or file's watch.

    Parameters
    ----------
    read : PlateReader
    bands : BandLimits
        Of the reader's model card.
    rules : TrackRules
    regions : sequence of Region
        Lanes or bays; with any, what is seen elsewhere is left out.
    least_gap_s : float
        Frames that come sooner after the last that was looked at are left out.
    arrived : callable or None
        Called once a vehicle, while it is there: as soon as its read is accepted.
    once_parked : bool
        Then only where it stands, too: what passes a bay is not in it.
    changed : callable or None
        Called with each frame's time and what it showed to have changed in the regions.
    """

    def __init__(
        self,
        read: PlateReader,
        bands: BandLimits,
        rules: TrackRules,
        *,
        regions: Sequence[Region] = (),
        least_gap_s: float = 0.0,
        arrived: Callable[[Visit, Picture | None], None] | None = None,
        once_parked: bool = False,
        changed: Callable[[float, Sequence[BayChange]], None] | None = None,
    ) -> None:
        self._arrived = arrived
        self._once_parked = once_parked
        self._told: set[int] = set()
        self.looks = Looks()
        self._bays: dict[str, BayState] = {}
        self._changed = changed
        self._read = read
        self._bands = bands
        self._rules = rules
        self._regions = regions
        self._least_gap_s = least_gap_s
        self._tracks = Tracks()
        self._looked_at_s = float("-inf")
        self._read_at_s = float("-inf")
        self._thumbnail: Floats | None = None
        self._patches: dict[int, Floats] = {}
        """What the picture was when a track's plate was found last."""

    def visits(self, frames: Iterable[Frame]) -> Iterator[tuple[Visit, Moments]]:
        """Give each visit when it is over, with the pictures of its moments where still kept.

        Holds some pictures a live track (four with regions, else one) and one frame, however long
        the video is.
        """
        kept: dict[int, Moments] = {}
        for frame in frames:
            for visit in self.take(frame):
                yield visit, kept.pop(visit.number, NO_MOMENTS)
            kept = {track.number: kept.get(track.number, NO_MOMENTS) for track in self._tracks.live}
            for track in self._tracks.live:
                if frame.picture is not None and track.last.frame == frame.number:
                    kept[track.number] = noted(
                        kept[track.number],
                        track,
                        frame.picture,
                        self._rules,
                        kerb=bool(self._regions),
                    )
            self._tell(kept)
        for visit in self.end():
            yield visit, kept.pop(visit.number, NO_MOMENTS)

    def _tell(self, kept: Mapping[int, Moments]) -> None:
        """Tell of vehicles that are there and whose read is sure by now."""
        live = {track.number: track for track in self._tracks.live}
        self._told &= live.keys()
        if self._arrived is None:
            return
        for number, track in live.items():
            if number in self._told:
                continue
            visit = so_far(track, self._rules, self._bands)
            if visit is None or visit.band is not Band.ACCEPT:
                continue
            if self._once_parked and visit.left is not False:
                continue
            self._told.add(number)
            best = kept[number].best if number in kept else None
            self._arrived(visit, None if best is None else best.picture)

    def take(self, frame: Frame) -> tuple[Visit, ...]:
        """Take a frame; give the visits that are over by it."""
        if frame.picture is None:
            sightings = []
        elif frame.at_s - self._looked_at_s < self._least_gap_s:
            self.looks.between += 1
            return ()
        else:
            self._looked_at_s = frame.at_s
            sightings = self._sightings(frame, frame.picture)
        self._tracks, visits = step(self._tracks, frame.at_s, sightings, self._rules, self._bands)
        if self._changed is not None:
            changes = bay_changes(self._bays, self._tracks, visits, self._rules)
            self._bays |= {each.bay: each.state for each in changes}
            self._changed(frame.at_s, changes)
        return visits

    def end(self) -> tuple[Visit, ...]:
        """Give the visits that are not over where the source is."""
        visits = finish(self._tracks, self._rules, self._bands)
        self._tracks = Tracks(next_number=self._tracks.next_number)
        return visits

    def _sightings(self, frame: Frame, picture: Picture) -> list[Sighting]:
        thumbnail = self._thumbnail_of(picture)
        if not self._due(frame.at_s, thumbnail):
            self.looks.unmoved += 1
            return self._still(frame, picture, thumbnail, ())
        self._read_at_s = frame.at_s
        self.looks.read += 1
        began = cv2.getTickCount()
        plates = self._read(picture)
        self.looks.took_s += (cv2.getTickCount() - began) / cv2.getTickFrequency()
        found = (self._sighting(plate, frame, picture) for plate in plates)
        seen = [sighting for sighting in found if sighting is not None]
        still = self._still(frame, picture, thumbnail, seen)
        self._thumbnail = thumbnail
        return seen + still

    def _thumbnail_of(self, picture: Picture) -> Floats:
        small = cv2.resize(picture, _THUMBNAIL_PX, interpolation=cv2.INTER_AREA)
        thumbnail = np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.float32)
        if float(thumbnail.mean()) < _DARK_LEVEL or float(thumbnail.std()) < _FLAT_LEVELS:
            self.looks.blind += 1
        return thumbnail

    def _due(self, at_s: float, thumbnail: Floats) -> bool:
        """Say whether to read: something moved since the last time, or it was long ago."""
        before = self._thumbnail
        if before is None or at_s - self._read_at_s >= _LOOK_AT_LEAST_EVERY_S:
            return True
        return float(np.abs(thumbnail - before).max()) >= _MOVED_LEVELS

    def _still(
        self, frame: Frame, picture: Picture, thumbnail: Floats, seen: Sequence[Sighting]
    ) -> list[Sighting]:
        """Give the plates that must be where they were, found again or not: nothing moved there."""
        height, width = picture.shape[:2]
        scale = np.array(_THUMBNAIL_PX) / (width, height)
        kept: dict[int, Floats] = {}
        still = []
        for track in self._tracks.live:
            last = track.last
            if any(math.dist(each.centre, last.centre) < last.width_px for each in seen):
                kept[track.number] = thumbnail
                continue
            corners = np.array(last.corners)
            middle = corners.mean(axis=0)
            # The plate and as much of the car round it.
            reach = (corners - middle) * _PATCH_GROWN
            low = np.clip(np.floor((middle + reach.min(axis=0)) * scale), 0, _THUMBNAIL_PX)
            high = np.clip(np.ceil((middle + reach.max(axis=0)) * scale), 0, _THUMBNAIL_PX)
            (x0, y0), (x1, y1) = low.astype(int).tolist(), high.astype(int).tolist()
            # A track's first sighting was in the last frame that was read.
            before = self._patches.get(track.number, self._thumbnail)
            if before is None:
                continue
            kept[track.number] = before
            moved = np.abs(thumbnail[y0:y1, x0:x1] - before[y0:y1, x0:x1])
            if moved.size and float(moved.max()) < _MOVED_LEVELS:
                still.append(Sighting(frame.at_s, last.corners, None, frame.number, last.region))
        self._patches = kept
        return still

    def _sighting(self, plate: ReadPlate, frame: Frame, picture: Picture) -> Sighting | None:
        a, b, c, d = ((float(x), float(y)) for x, y in plate.corners.tolist())
        sighting = Sighting(frame.at_s, (a, b, c, d), plate.read, frame.number)
        if not self._regions:
            return sighting
        height, width = picture.shape[:2]
        middle: Point = (sighting.centre[0] / width, sighting.centre[1] / height)
        for region in self._regions:
            if region.holds(middle):
                return Sighting(frame.at_s, (a, b, c, d), plate.read, frame.number, region.name)
        return None
