"""Work lent to a process of its own that ends with it: making plans holds the interpreter."""

import os
import signal as signal_numbers
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Final, ParamSpec, TypeVar

from city.works.embedded.children import follow_parent

LEAST_PRIORITY: Final = 10

_Given = ParamSpec("_Given")
_Found = TypeVar("_Found")


@contextmanager
def lent(work: Callable[_Given, _Found], *, apart: bool) -> Iterator[Callable[_Given, _Found]]:
    """Lend a function as it is, or to be run in a process with a low priority."""
    if not apart:
        yield work
        return
    with ProcessPoolExecutor(1, get_context("spawn"), _begin) as pool:

        def there(*given: _Given.args, **named: _Given.kwargs) -> _Found:
            return pool.submit(work, *given, **named).result()

        yield there


def _begin() -> None:
    """Let a process end with its parent, and give way to everybody else."""
    follow_parent(signal_numbers.SIGKILL)
    os.nice(LEAST_PRIORITY)
