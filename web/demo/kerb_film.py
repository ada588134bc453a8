"""What the demo's kerb camera sees, three bays side by side, and what our software makes of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from lpr.commands.told_city import told_bays
from lpr.rules.layouts import layouts_of
from lpr.rules.sightings import Region, TrackRules
from lpr.synthesis.faces import face_of
from lpr.synthesis.scenes import draw_scene
from lpr.synthesis.videos import Place, ShownCar, between, draw_moment
from lpr.vision.models import detector, recogniser
from lpr.vision.reading import read_scene
from lpr.vision.watching import Frame, Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from city.identifiers import BayId
    from city.vehicles import PlateNumber
    from lpr.synthesis.scenes import Picture
    from lpr.vision.reading import ReadPlate

SIZE_PX: Final = (960, 540)
BACKDROP: Final = 11
FPS: Final = 5.0
TRAVEL_S: Final = 2.0
STANDS_S: Final = 7.0
"""Filmed after a car has come: longer than what it takes to be parked."""
GONE_S: Final = 2.0
"""Filmed after a car has gone: longer than a moving one is waited for."""
WAITED_FOR_S: Final = 3_600.0
"""City time for which a parked car is waited for: idle frames lie far apart at a high speed."""

Shot = tuple[float, "Picture"]
"""When a frame was taken, in seconds of the city since the camera began, and the frame."""
_PLATE_WIDTH: Final = 0.1
_FAR_WIDTH: Final = 0.07
_TOP, _STANDS_AT, _BOTTOM = 0.28, 0.62, 0.9


class KerbFilm:
    """The kerb as its camera sees it; every time is the city's.

    Parameters
    ----------
    bays : sequence of BayId
        From left to right.
    began_at : datetime
        When the camera began to look.
    parked : mapping of BayId to PlateNumber
        Who stands there then.
    """

    def __init__(
        self, bays: Sequence[BayId], began_at: datetime, parked: Mapping[BayId, PlateNumber]
    ) -> None:
        self._bays = list(bays)
        self._began_at = began_at
        self._backdrop = draw_scene(np.random.default_rng(BACKDROP), SIZE_PX, kinds=()).picture
        self._parked = {bay: self._car(bay, plate) for bay, plate in parked.items()}
        self.at_s = 0.0
        """Of the latest frame, since it began."""

    @property
    def regions(self) -> tuple[Region, ...]:
        """The bays as the camera's regions."""
        share = 1 / len(self._bays)
        return tuple(
            Region(
                str(bay),
                (
                    (n * share, 0.4),
                    ((n + 1) * share, 0.4),
                    ((n + 1) * share, 0.85),
                    (n * share, 0.85),
                ),
            )
            for n, bay in enumerate(self._bays)
        )

    def now(self) -> datetime:
        """Give when the latest frame was taken: the camera's own clock."""
        return self._began_at + timedelta(seconds=self.at_s)

    def still(self, at: datetime) -> Shot:
        """Give a frame in which nothing happens."""
        return self._taken(at, ())

    def arrives(self, bay: BayId, plate: PlateNumber, at: datetime) -> Iterator[Shot]:
        """Give the frames in which a car drives into a bay and stands."""
        # Whoever was taken to stand there has left while nobody looked.
        self._parked.pop(bay, None)
        car = self._car(bay, plate)
        away = Place(car.place.x, _TOP, _FAR_WIDTH)
        start_s = self._from(at)
        for step in range(round(TRAVEL_S * FPS)):
            place = between(away, car.place, step / (TRAVEL_S * FPS))
            moving = ShownCar(car.face, place, car.look)
            yield self._taken_s(start_s + step / FPS, (moving,))
        self._parked[bay] = car
        for step in range(round(STANDS_S)):
            yield self._taken_s(start_s + TRAVEL_S + step + 1, ())

    def leaves(self, bay: BayId, at: datetime) -> Iterator[Shot]:
        """Give the frames in which the car in a bay drives off."""
        car = self._parked.pop(bay, None)
        if car is None:
            return
        gone = Place(car.place.x, _BOTTOM, _PLATE_WIDTH * 1.25)
        start_s = self._from(at)
        for step in range(round(TRAVEL_S * FPS)):
            place = between(car.place, gone, step / (TRAVEL_S * FPS))
            yield self._taken_s(start_s + step / FPS, (ShownCar(car.face, place, car.look),))
        yield self._taken_s(start_s + TRAVEL_S + GONE_S, ())

    def _car(self, bay: BayId, plate: PlateNumber) -> ShownCar:
        look = bay.int % 2**32
        layout = layouts_of(plate.kind, plate.text)[0]
        face = face_of(plate.text, plate.kind, layout, np.random.default_rng(look))
        x = (self._bays.index(bay) + 0.5) / len(self._bays)
        return ShownCar(face, Place(x, _STANDS_AT, _PLATE_WIDTH), look)

    def _from(self, at: datetime) -> float:
        return max((at - self._began_at).total_seconds(), self.at_s + 1 / FPS)

    def _taken(self, at: datetime, moving: Sequence[ShownCar]) -> Shot:
        return self._taken_s(self._from(at), moving)

    def _taken_s(self, at_s: float, moving: Sequence[ShownCar]) -> Shot:
        self.at_s = at_s
        return at_s, draw_moment(self._backdrop, [*self._parked.values(), *moving])


def watch_kerb(  # noqa: PLR0917 - what a camera at a kerb is given
    film: KerbFilm,
    shots: Iterable[Shot],
    address: str,
    token_file: Path,
    name: str,
    failed: Callable[[str], None],
) -> None:
    """Watch the kerb as `lpr watch --bays --votes` does, until there are no more frames.

    Parameters
    ----------
    film : KerbFilm
        Has the bays, and the camera's clock.
    shots : iterable of Shot
    address, token_file, name, failed
        As `told_bays` has them.
    """
    finder, reader = detector(), recogniser()

    def read(picture: Picture) -> list[ReadPlate]:
        return read_scene(picture, finder, reader)

    city = told_bays(address, token_file, film.regions, film, failed, votes=name)
    watch = Watch(
        read,
        reader.card.bands,
        TrackRules(parked_lost_after_s=WAITED_FOR_S),
        regions=film.regions,
        arrived=city.arrived,
        once_parked=city.once_parked,
        changed=city.changed,
    )
    frames = (Frame(number, at_s, picture) for number, (at_s, picture) in enumerate(shots))
    for visit, moments in watch.visits(frames):
        city.over(visit, moments)
    city.close()
