"""Run the peer ``atspm`` on a file of events; run by the peers' own Python, as a subprocess.

``python _atspm.py EVENTS CONFIG OUT.json [remove_incomplete]``: each measure's table by columns
and the seconds of loading and counting. ``sample`` as EVENTS and CONFIG means the package's own.
"""

import json
import sys
import time

import atspm  # type: ignore[import-not-found]  # the peers' Python alone has it

MEASURES = [
    {"name": "has_data", "params": {"no_data_min": 5, "min_data_points": 3}},
    {"name": "actuations", "params": {}},
    {"name": "arrival_on_green", "params": {"latency_offset_seconds": 0}},
    {"name": "platoon_ratio", "params": {}},
    {"name": "communications", "params": {"event_codes": "400,503,502"}},
    {"name": "coordination", "params": {}},
    {"name": "timeline", "params": {"min_duration": 0.2, "cushion_time": 60}},
    {"name": "coordination_agg", "params": {}},
    {"name": "ped", "params": {}},
    {"name": "unique_ped", "params": {"seconds_between_actuations": 15}},
    {"name": "full_ped", "params": {"seconds_between_actuations": 15, "return_volumes": True}},
    {"name": "ped_delay", "params": {}},
    {"name": "phase_wait", "params": {}},
    {
        "name": "split_failures",
        "params": {
            "red_time": 5,
            "red_occupancy_threshold": 0.80,
            "green_occupancy_threshold": 0.80,
            "by_approach": True,
            "by_cycle": False,
        },
    },
    {"name": "splits", "params": {}},
    {"name": "terminations", "params": {}},
    {"name": "yellow_red", "params": {"latency_offset_seconds": 1.5, "min_red_offset": -8}},
]


def main(events: str, config: str, out: str, remove_incomplete: bool) -> None:
    sample = atspm.sample_data
    begun = time.perf_counter()
    with atspm.SignalDataProcessor(
        raw_data=sample.data if events == "sample" else events,
        detector_config=sample.config if config == "sample" else config,
        bin_size=15,
        verbose=0,
        controller_type="maxtime",
        remove_incomplete=remove_incomplete,
        aggregations=MEASURES,
    ) as processor:
        processor.conn.execute("SET threads = 1")
        processor.load()
        processor.aggregate()
        seconds = time.perf_counter() - begun
        tables = {}
        for each in MEASURES:
            found = processor.conn.execute(f"SELECT * FROM {each['name']}")  # noqa: S608 - names above
            columns = [column[0] for column in found.description]
            rows = found.fetchall()
            tables[each["name"]] = {
                name: [row[number] for row in rows] for number, name in enumerate(columns)
            }
    with open(out, "w", encoding="utf-8") as file:  # noqa: PTH123 - the peers' Python reads this alone
        json.dump({"seconds": seconds, "tables": tables}, file, default=str)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], "remove_incomplete" in sys.argv[4:])
