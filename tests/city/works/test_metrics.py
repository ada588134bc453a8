"""Metrics of every process from any of them."""

import os
import subprocess
import sys
from pathlib import Path

from city.works import metrics

SET_AND_WAIT = """
from city.works import metrics
metrics.JOBS_WAITING.set(7)
metrics.REFUSED.labels("disk").inc(2)
print(flush=True)
input()
"""
SCRAPE = "import sys; from city.works import metrics; sys.stdout.buffer.write(metrics.exposition())"


def test_one_process_answers_for_the_others_and_forgets_the_dead(tmp_path: Path) -> None:
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}

    def scrape() -> list[str]:
        text = subprocess.run(
            [sys.executable, "-c", SCRAPE],
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        # Whose file is read first decides which metric comes first.
        return sorted(
            line
            for line in text.splitlines()
            if line.startswith(("greenbay_jobs_waiting ", "greenbay_refused_total{"))
        )

    with subprocess.Popen(
        [sys.executable, "-c", SET_AND_WAIT],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as worker:
        assert worker.stdout is not None
        worker.stdout.readline()
        assert scrape() == [
            "greenbay_jobs_waiting 7.0",
            'greenbay_refused_total{reason="disk"} 2.0',
        ]
        worker.kill()
    metrics.forget_dead_processes(tmp_path)
    assert 'greenbay_refused_total{reason="disk"} 2.0' in scrape()
    assert "greenbay_jobs_waiting 7.0" not in scrape()


def test_every_name_is_ours_and_says_its_unit() -> None:
    names = [
        line.split()[2]
        for line in metrics.exposition().decode().splitlines()
        if line.startswith("# HELP greenbay_")
    ]
    assert "greenbay_fold_lag_seconds" in names
    assert [name for name in names if "second" in name and not name.endswith("_seconds")] == []
