"""Measure everything in one run on one PostgreSQL, and print rates and ratios.

script/bench [--seconds N] [--json FILE] [--only KEY ...] [--server gunicorn|granian]
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from schoolmeals.embedded import EmbeddedServer
from tests.bench import in_process, limit, over_http, rush, seeding
from tests.bench.ground import City, bench_server, build_city, settings_for

Figures = dict[str, dict[str, float]]

KEYS: Final = (
    "pgbench_1",
    "pgbench_8",
    "pgbench_32",
    "in_process_1",
    "in_process_100",
    "in_process_100x2",
    "hello",
    "http_single",
    "http_batch_100",
    "rush",
    "seed",
)
RATIOS: Final = (
    ("in_process_100", "in_process_1", "batches of 100 to single taps, in process (CI: at least 3)"),
    ("in_process_100x2", "pgbench_8", "two processes to the limit at 8 clients (floor: 0.4)"),
    ("http_single", "hello", "a tap over HTTP to a bare Flask hello on the same server (floor: 0.15)"),
    ("http_batch_100", "in_process_100", "batches over HTTP to batches in process"),
)
FLOORS: Final = {"in_process_100": 2_000, "http_single": 150, "http_batch_100": 1_250}
RUSH_P99_MS: Final = 1_000
SEED_SECONDS: Final = 20
SHARES: Final = (("in_process_100x2", "pgbench_8", 0.4), ("http_single", "hello", 0.15))
DAYS: Final = {
    "in_process_1": range(1, 8),
    "in_process_100": range(8, 22),
    "in_process_100x2": range(22, 37),
    "http_single": range(37, 38),
    "http_batch_100": range(38, 40),
}
"""Which days' meals each workload eats; the first day settles the city. Over HTTP only the last 72 hours are taken."""


def main() -> int:
    """Run the bench; 1 where a floor is missed."""
    asked = _arguments()
    with bench_server() as server, tempfile.TemporaryDirectory() as folder:
        figures: Figures = {}
        taps = [key for key in KEYS if key in asked.only and key not in ("rush", "seed")]
        if taps:
            _measure_taps(taps, figures, asked, server, Path(folder))
        if "rush" in asked.only:
            figures["rush"] = rush.measure(server)
            _tell("rush", figures)
        if "seed" in asked.only:
            figures["seed"] = seeding.measure(server)
            _tell("seed", figures)
    if asked.json is not None:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return _judge(figures)


def _measure_taps(
    keys: Sequence[str], figures: Figures, asked: argparse.Namespace, server: EmbeddedServer, folder: Path
) -> None:
    _say("filling the database")
    city = build_city(settings_for(server))
    in_process.settle(city)
    owner_url = server.owner_url("bench")
    purses = limit.prepare(owner_url)
    for key in keys:
        figures[key] = _measure(key, city, owner_url, purses, asked.seconds, folder, asked.server)
        _tell(key, figures)


def _measure(
    key: str, city: City, owner_url: str, purses: int, seconds: int, folder: Path, server: str
) -> dict[str, float]:
    if key.startswith("pgbench_"):
        clients = int(key.removeprefix("pgbench_"))
        return {"rate": limit.measure(owner_url, purses, clients, seconds, folder)}
    if key.startswith("in_process_"):
        measure: Callable[..., int] = in_process.measure_two if key.endswith("x2") else in_process.measure
        size = 1 if key.endswith("_1") else 100
        return {"rate": measure(city, size, seconds, workload=KEYS.index(key) * 10, days=DAYS[key])}
    if key == "hello":
        with over_http.serving_hello() as port:
            return {"rate": over_http.hello(port, 8, seconds)}
    size, clients = (1, 8) if key == "http_single" else (100, 4)
    with over_http.serving(city, server) as port:
        measured = over_http.measure(city, port, size, clients, seconds, workload=KEYS.index(key) * 10, days=DAYS[key])
    return asdict(measured)


def _tell(key: str, figures: Figures) -> None:
    _say(f"{key:18} " + "  ".join(f"{name} {value}" for name, value in figures[key].items()))


def _judge(figures: Figures) -> int:
    """Print the ratios and what misses its floor."""
    _say("")
    for above, below, meaning in RATIOS:
        if above in figures and below in figures:
            _say(f"{figures[above]['rate'] / figures[below]['rate']:6.2f}  {meaning}")
    missed = [f"{key} at least {floor}/s" for key, floor in FLOORS.items() if _rate(figures, key, floor) < floor]
    if figures.get("http_single", {}).get("p99_ms", 0) >= 150:
        missed.append("http_single p99 under 150 ms")
    if figures.get("rush", {}).get("p99_ms", 0) > RUSH_P99_MS:
        missed.append(f"rush p99 at most {RUSH_P99_MS} ms")
    if figures.get("seed", {}).get("seconds", 0) > SEED_SECONDS:
        missed.append(f"seed within {SEED_SECONDS} s")
    for key, limit_key, share in SHARES:
        if key in figures and limit_key in figures and figures[key]["rate"] < share * figures[limit_key]["rate"]:
            missed.append(f"{key} at least {share} of {limit_key}")
    _say(f"missed: {', '.join(missed)}" if missed else "all floors held")
    return 1 if missed else 0


def _rate(figures: Figures, key: str, otherwise: int) -> float:
    return figures[key]["rate"] if key in figures else otherwise


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="script/bench", description="Measure a tap against what PostgreSQL can do.")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    parser.add_argument("--seconds", type=int, default=5, metavar="N", help="how long each measurement takes")
    parser.add_argument("--only", nargs="+", choices=KEYS, default=KEYS, metavar="KEY", help="only these figures")
    parser.add_argument("--server", choices=over_http.SERVERS, default="gunicorn", help="which web server")
    return parser.parse_args()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
