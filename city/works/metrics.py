"""Every metric's name, once; what a scrape of `/metrics` returns.

Where `PROMETHEUS_MULTIPROC_DIR` is set (the supervisor sets it) processes keep their values in
files there, and any of them answers for all: the worker and the ingest have no port of their own.
Counters and histograms are sums over processes. A gauge says below how it is combined. Values of
a process that has ended: counters stay, gauges go (`forget_process`).
"""

import os
from pathlib import Path
from typing import Final

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
FOLDER_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"

disable_created_metrics()  # type: ignore[no-untyped-call] # the library's; series that nobody reads

REQUEST_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

# --- web ---
REQUESTS = Counter(
    "greenbay_http_requests_total", "HTTP requests answered", ["method", "route", "status"]
)
REQUEST_SECONDS = Histogram(
    "greenbay_http_request_seconds",
    "Seconds from request to answer",
    ["route"],
    buckets=REQUEST_BUCKETS_S,
)
LIVE_CLIENTS = Gauge(
    "greenbay_live_clients", "Pages connected to the live feed", multiprocess_mode="livesum"
)
LIVE_DROPPED = Counter(
    "greenbay_live_dropped_total", "Live clients sent back to a snapshot for being too slow"
)

# --- ingest and occupancy ---
UPLINKS = Counter(
    "greenbay_uplinks_total",
    "Uplinks by where they came in (ttn, chirpstack, ctwing, mqtt) and outcome",
    ["source", "outcome"],
)
SIGNAL_ALARMS = Gauge(
    "greenbay_signal_alarms",
    "Open alarms of signals by code",
    ["code"],
    multiprocess_mode="livemostrecent",
)
SIGNAL_WORK = Gauge(
    "greenbay_signal_work",
    "Work orders of signals that are not over, by state; overdue ones once more",
    ["state"],
    multiprocess_mode="livemostrecent",
)
DETECTIONS = Counter(
    "greenbay_detections_total",
    "Rows of events, counts and plate passes: accepted, rejected, kept (new in PostgreSQL)",
    ["kind", "outcome"],
)
PLATE_PASSES = Counter(
    "greenbay_plate_passes_total",
    "Passes of gates' cameras heard by signals: kept, unplaced (of a lane that tells of no signal),"
    " unusable, lost (gone from the stream before they were read)",
    ["outcome"],
)
STREAM_LENGTH = Gauge(
    "greenbay_stream_length",
    "Entries kept in a stream of the live store",
    ["stream"],
    multiprocess_mode="livemostrecent",
)
STREAM_PENDING = Gauge(
    "greenbay_stream_lag",
    "Entries of a stream that a group has not acknowledged yet",
    ["stream", "group"],
    multiprocess_mode="livemostrecent",
)
FOLD_LAG_S = Gauge(
    "greenbay_fold_lag_seconds",
    "Age of the newest folded uplink, from its receipt, when it was written",
    ["district"],
    multiprocess_mode="livemostrecent",
)
FOLDED = Counter("greenbay_folded_total", "Uplinks folded into bays' states", ["district"])
LATE = Counter(
    "greenbay_late_uplinks_total", "Uplinks later than the lateness window", ["district"]
)
BAYS = Gauge(
    "greenbay_bays", "Bays by state", ["district", "state"], multiprocess_mode="livemostrecent"
)
REFUSED = Counter(
    "greenbay_refused_total", "Requests refused by back-pressure (stream, disk)", ["reason"]
)

# --- payments ---
NOTICES = Counter(
    "greenbay_channel_notices_total",
    "Notifications of channels: accepted, refused, settled, quarantined",
    ["channel", "outcome"],
)
NOTICE_SETTLED_S = Histogram(
    "greenbay_channel_notice_settled_seconds",
    "Seconds from the acknowledgement of a payment to its settled bill",
    buckets=REQUEST_BUCKETS_S,
)

# --- POS terminals ---
POS_MESSAGES = Counter(
    "greenbay_pos_messages_total", "Messages of POS terminals answered", ["kind", "code"]
)
POS_SECONDS = Histogram(
    "greenbay_pos_message_seconds",
    "Seconds from a POS message to its answer",
    buckets=REQUEST_BUCKETS_S,
)
POS_LINES = Gauge(
    "greenbay_pos_lines", "Lines to POS terminals that are open", multiprocess_mode="livesum"
)

# --- record ---
UNSEALED_AGE_S = Gauge(
    "greenbay_audit_unsealed_age_seconds",
    "Age of the oldest audit record that is not in the sealed chain yet",
    multiprocess_mode="livemostrecent",
)
JOBS = Counter("greenbay_jobs_total", "Jobs run, by task and outcome", ["task", "outcome"])
JOB_SECONDS = Histogram("greenbay_job_seconds", "Seconds that a job ran", ["task"])
JOBS_WAITING = Gauge(
    "greenbay_jobs_waiting", "Jobs that wait to run", multiprocess_mode="livemostrecent"
)
JOBS_FAILED = Gauge(
    "greenbay_jobs_failed",
    "Jobs that failed for good and wait for a person",
    multiprocess_mode="livemostrecent",
)
LEDGER_DIFFERENCES = Gauge(
    "greenbay_ledger_differences",
    "Days of accounts whose sums are not what is posted, by the last check: above zero is an alarm",
    multiprocess_mode="livemostrecent",
)

# --- platform ---
RESTARTS = Counter(
    "greenbay_process_restarts_total", "Processes that the supervisor started again", ["process"]
)
DISK_FREE_BYTES = Gauge(
    "greenbay_disk_free_bytes",
    "Free bytes where the data lies",
    multiprocess_mode="livemostrecent",
)


def exposition() -> bytes:
    """Return the metrics of every process (or of this one alone) in Prometheus' text format."""
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=folder)  # type: ignore[no-untyped-call] # the library's
    return generate_latest(registry)


def forget_process(pid: int, folder: Path | None = None) -> None:
    """Drop the gauges of a process that has ended."""
    path = os.environ.get(FOLDER_VARIABLE) if folder is None else str(folder)
    if path:
        mark_process_dead(pid, path)  # type: ignore[no-untyped-call] # the library's


def forget_dead_processes(folder: Path) -> None:
    """Drop the gauges of every process that has ended without saying so."""
    for path in folder.glob("gauge_live*_*.db"):
        pid = path.stem.rpartition("_")[2]
        if pid.isdigit() and not Path("/proc", pid).exists():
            forget_process(int(pid), folder)
