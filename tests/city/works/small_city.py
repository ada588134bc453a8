"""A supervisor over embedded servers and two small processes: what the fault tests kill."""

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from city.works.processes import Preparation, ProcessPlan
from city.works.settings import settings
from city.works.supervisor import supervise


class Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        pass


def serve(port: int) -> None:
    HTTPServer(("127.0.0.1", port), Ready).serve_forever()


def run(kind: str) -> int:
    chosen = settings()
    python, here = sys.executable, __file__
    plans = [
        ProcessPlan("sleeper", (python, "-c", "import time; time.sleep(1000)")),
        ProcessPlan(
            "api",
            (python, here, "serve", str(chosen.port)),
            answers_at=(chosen.port, "/readyz"),
        ),
    ]
    preparations = [
        Preparation((python, "-m", "city.works.schema")),
        Preparation((python, "-c", "print('driver: 1234')"), shown=True),
    ]
    if kind == "broken":
        broken = ("/bin/sh", "-c", "echo no such thing; exit 1")
        plans.insert(0, ProcessPlan("broken", broken, first_wait_s=0.01))
    if kind == "unprepared":
        preparations.append(Preparation((python, "-c", "raise SystemExit('no streets')")))
    return supervise(chosen, plans=plans, preparations=preparations)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(int(sys.argv[2]))
    else:
        sys.exit(run(sys.argv[1]))
