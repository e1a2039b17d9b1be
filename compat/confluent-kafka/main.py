"""Scenarios by confluent-kafka (librdkafka). Arguments: the broker's address, then the wanted scenarios (none: all).
One JSON line per scenario."""

import json
import sys
import time
import traceback

import admin
import configs
import consumer_protocol
import groups
import records
import transactions
import vlsn
from kit import Kit


def report(value):
    print(json.dumps(value), flush=True)


def attempt(run, address):
    """Runs one scenario; returns what failed, with its line."""
    try:
        with Kit(address) as kit:
            run(kit)
    except Exception as failure:
        frames = [f for f in traceback.extract_tb(failure.__traceback__) if not f.filename.endswith("kit.py")]
        return f"{type(failure).__name__}: {failure} at {frames[-1].name}:{frames[-1].lineno}"
    return None


def main():
    address, wanted = sys.argv[1], sys.argv[2:]
    scenarios = {}
    for module in (records, groups, consumer_protocol, admin, configs, transactions, vlsn):
        scenarios.update(module.scenarios)
    names = [name for name in scenarios if not wanted or name in wanted]
    report({"scenarios": names})
    for name in names:
        started_at = time.monotonic()
        error = attempt(scenarios[name], address)
        ms = round((time.monotonic() - started_at) * 1000)
        report({"scenario": name, "ok": error is None, "error": error, "ms": ms})


main()
