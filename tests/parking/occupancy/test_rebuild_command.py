"""``python -m parking rebuild`` as its own process, on real servers."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from parking.adapters.live_keys import district_keys
from tests.parking.ingest.conftest import town
from tests.parking.ingest.small_town import EAST

__all__ = ["town"]

ROOT = Path(__file__).parents[3]


def rebuild(database_url: str, redis_url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    servers = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "GREENBAY_DEMO": "0"}
    return subprocess.run(
        [sys.executable, "-m", "parking", "rebuild", *arguments],
        cwd=ROOT,
        env={**os.environ, **servers, "MQTT_URL": "mqtt://127.0.0.1:1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.usefixtures("town")
def test_it_rebuilds_every_district_and_prints_one_object_each(
    database_url: str, redis_url: str, valkey: Any
) -> None:
    done = rebuild(database_url, redis_url)
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    answer = json.loads(line)
    assert (answer["district"], answer["made"], answer["unknown"]) == (EAST, 2, 2)
    assert valkey.hlen(district_keys(EAST).bays) == 2


@pytest.mark.usefixtures("town", "valkey")
def test_a_district_without_facilities_is_a_bad_argument(database_url: str, redis_url: str) -> None:
    done = rebuild(database_url, redis_url, "--district", "nowhere")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].endswith("'nowhere' has no facilities")
