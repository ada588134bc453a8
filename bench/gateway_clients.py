"""The unmodified public SDKs against the gateway: every call and whether it did as documented.

They live in ``.venv-peers`` (``requirements-peers.txt``) and run there as a subprocess.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PEERS = ROOT / ".venv-peers" / "bin" / "python"
SPEED = "200"
TIMEOUT_S = 120
Call = dict[str, object]


def missing() -> str:
    """Say why the SDKs cannot run here; empty where they can."""
    if not PEERS.exists():
        return "there is no .venv-peers (requirements-peers.txt)"
    asked = subprocess.run(
        [PEERS, "-c", "import alipay, wechatpayv3"], capture_output=True, check=False
    )
    return "" if asked.returncode == 0 else "the SDKs are not in .venv-peers"


def run_calls() -> list[Call]:
    """Start a gateway, run the SDKs' calls against it, stop it; give a row a call."""
    command = ["-m", "payments", "gateway", "--port", "0", "--speed", SPEED, "--open-day"]
    with subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as gateway:
        try:
            assert gateway.stdout is not None
            address = json.loads(gateway.stdout.readline())["address"]
            done = subprocess.run(
                [PEERS, ROOT / "bench" / "_sdk_calls.py", address],
                capture_output=True,
                text=True,
                timeout=TIMEOUT_S,
                check=False,
            )
        finally:
            gateway.terminate()
            gateway.communicate(timeout=TIMEOUT_S)
    calls: list[Call] = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        calls.append({"sdk": "", "call": "the run itself", "ok": False, "detail": "".join(last)})
    return calls


def main() -> None:
    """Print the calls, how many did as documented, and the seconds it took."""
    reason = missing()
    if reason:
        print(json.dumps({"skipped": reason}))
        return
    started_s = time.perf_counter()
    calls = run_calls()
    print(
        json.dumps(
            {
                "calls": len(calls),
                "as_documented": sum(bool(call["ok"]) for call in calls),
                "seconds": round(time.perf_counter() - started_s, 1),
                "rows": calls,
            },
            ensure_ascii=False,
        )
    )
    if not all(call["ok"] for call in calls):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
