"""One child of the supervisor: started, seen to have ended, started again after a wait, stopped."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from city.errors import Unavailable
from city.works.embedded.children import Hold, ended, tethered
from city.works.log_files import open_log
from city.works.processes import ProcessPlan

BELIEVED_AFTER_S = 5.0

Launch = Callable[[], Popen[bytes]]


@dataclass(slots=True)
class Watched:
    """A child with its restart policy; every method is for the supervisor's main thread.

    Attributes
    ----------
    plan
        Its policy.
    launch
        Starts it and returns the process; `Unavailable` counts as an end.
    ends
        How often it ended unasked.
    """

    plan: ProcessPlan
    launch: Launch
    process: Popen[bytes] | None = None
    ends: int = 0
    last_status: str = ""
    _started_at: float = 0.0
    _due_at: float = 0.0
    _wait_s: float = 0.0

    def start(self) -> bool:
        """Start it now; return whether it is running."""
        self._started_at = time.monotonic()
        try:
            self.process = self.launch()
        except Unavailable as error:
            self._note_end(str(error))
            return False
        return True

    def look(self) -> bool:
        """Return whether it has ended since the last look; then it is due again after a wait."""
        if self.process is None or not ended(self.process):
            return False
        self._end_group()
        status = self.process.wait()
        self.process = None
        if status < 0:
            name = signal.Signals(-status).name
            self._note_end(f"was killed by {name}")
        else:
            self._note_end(f"ended with status {status}")
        return True

    @property
    def due(self) -> bool:
        """Whether it is not running and its wait is over."""
        return self.process is None and time.monotonic() >= self._due_at

    @property
    def settled(self) -> bool:
        """Whether it runs, and if it ended before, has run for long enough to be believed."""
        lived_s = time.monotonic() - self._started_at
        return self.process is not None and (self.ends == 0 or lived_s >= BELIEVED_AFTER_S)

    def ask_to_stop(self) -> None:
        """Send its stop signal."""
        if self.process is not None and not ended(self.process):
            self.process.send_signal(self.plan.stop_signal)

    def finish(self, *, patience_s: float) -> None:
        """Wait for its end, and kill it and whatever it started when the patience is over."""
        if self.process is None:
            return
        deadline = time.monotonic() + patience_s
        while not ended(self.process) and time.monotonic() < deadline:
            time.sleep(0.02)
        self._end_group()
        self.process.wait()
        self.process = None

    def _end_group(self) -> None:
        # Not reaped yet, so the number is still this process's group and nobody else's.
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def _note_end(self, how: str) -> None:
        self.ends += 1
        self.last_status = how
        lived_s = time.monotonic() - self._started_at
        if self._wait_s == 0.0 or lived_s >= self.plan.steady_s:
            self._wait_s = self.plan.first_wait_s
        else:
            self._wait_s = min(self.plan.longest_wait_s, self._wait_s * 2)
        self._due_at = time.monotonic() + self._wait_s


def launcher(
    plan: ProcessPlan, *, environment: Mapping[str, str], folder: Path, logs: Path, locks: Path
) -> Launch:
    """Return what starts `plan` with its log in `logs` and its lock in `locks`."""

    def launch() -> Popen[bytes]:
        hold = Hold(locks / f"{plan.name}.lock")
        if not hold.take(wait_s=0.5):
            raise Unavailable(f"an earlier {plan.name} has not ended yet")
        output = open_log(logs / f"{plan.name}.log")
        try:
            return tethered(
                plan.argv,
                # With the supervisor the servers go too, so there is nothing to drain into: end
                # at once, as at a power cut, and let the next start find ports and locks free.
                death_signal=signal.SIGKILL,
                environment={**environment, **plan.environment},
                folder=folder,
                output=output,
                hold=hold,
            )
        finally:
            os.close(output)

    return launch
