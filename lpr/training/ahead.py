"""Making the next batches while the net learns from this one."""

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Batch = TypeVar("Batch")


def made_ahead(make: Callable[[], Batch], most: int = 3) -> Generator[Batch, None, None]:
    """Give batches without end; one thread makes them in order, so a seed still decides them.

    Parameters
    ----------
    make : callable
        Makes the next batch. Drawing and arithmetic let go of the interpreter's lock, so that a
        second core is of use.
    most : int
        Batches kept ready.
    """
    with ThreadPoolExecutor(1, "batches") as thread:
        ready: deque[Future[Batch]] = deque(thread.submit(make) for _ in range(most))
        try:
            while True:
                batch = ready.popleft().result()
                ready.append(thread.submit(make))
                yield batch
        finally:
            for waiting in ready:
                waiting.cancel()
