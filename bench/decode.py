"""Cost of decoding one sensor frame, beside json.loads of a payload of the same size."""

import json
import time
from collections.abc import Callable
from timeit import Timer

from parking.rules.sensors.codecs import decode, decode_uncached
from parking.rules.sensors.frames import BUILDERS, build
from parking.rules.sensors.model import Decoded

REPEATS = 5
TARGET_US = 4.0


def timer(call: Callable[[], object]) -> Timer:
    """Count processor time: what else runs on the machine is none of the codec's cost."""
    return Timer(call, timer=time.process_time)


def microseconds(timed: Timer) -> float:
    """Give the best of several runs: the one least disturbed by the machine's other work."""
    loops, _ = timed.autorange()
    return round(min(timed.repeat(REPEATS, loops)) / loops * 1e6, 3)


def measure(model: str, kind: str, port: int, frame: bytes) -> dict[str, object]:
    """Time one frame: without the cache, with it, and the floor."""
    assert isinstance(decode(model, port, frame), Decoded)
    text = frame if model == "wxhs-p-md" else json.dumps("a" * max(0, len(frame) - 2)).encode()
    return {
        "model": model,
        "kind": kind,
        "bytes": len(frame),
        "decode_us": microseconds(timer(lambda: decode_uncached(model, port, frame))),
        "cached_us": microseconds(timer(lambda: decode(model, port, frame))),
        "floor_us": microseconds(timer(lambda: json.loads(text))),
    }


def main() -> None:
    """Time every simulated model's status, heartbeat and start-up frame and the counter's."""
    frames = [
        (model, kind, *build(model, occupied=True, kind=kind, previous_state_s=4_440))
        for model in BUILDERS
        for kind in ("status", "heartbeat", "startup")
    ]
    frames.append(("nwave-ncc405", "count", 1, bytes.fromhex("06aa")))
    rows = [measure(*frame) for frame in frames]
    slowest = max(float(str(row["decode_us"])) for row in rows if row["model"] != "wxhs-p-md")
    print(
        json.dumps(
            {
                "unit": "microseconds a frame, one thread",
                "floor": "json.loads of a payload of the same size",
                "target_us": TARGET_US,
                "slowest_lorawan_us": slowest,
                "frames": rows,
            }
        )
    )


if __name__ == "__main__":
    main()
