"""Python's search for reference cycles, kept short in processes that serve."""

import gc


def steady_collector() -> None:
    """Have Python look for reference cycles seldom, and not in what stands by now.

    Call it once, when a process has been built: modules, routes, schemas and statements, some
    300 000 objects, last as long as it does. A search through all of them takes a fifth of a second
    of processor time, in the midst of somebody's request. Requests, batches and folding make
    thousands of small objects and hardly a cycle, so that a search among them can wait as well.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
