#!/usr/bin/env python3
"""One seed is one course of events, whatever compiled it: g++ and clang++ agree on fingerprints.

    same_everywhere.py ONE OTHER     two builds of mirbft-sim
"""
import json
import pathlib
import subprocess
import sys

CAMPAIGNS = [
    ["--nodes", "4", "--seeds", "1..300"],
    ["--nodes", "7", "--seeds", "1..15", "--adversary", "all"],
]


def fingerprint(program, campaign):
    run = subprocess.run([program, *campaign, "--failures", "1000000", "--json"],
                         capture_output=True, text=True, timeout=900)
    return json.loads(run.stdout)["fingerprint"]


def main():
    programs = [pathlib.Path(argument).resolve() for argument in sys.argv[1:]]
    for program in programs:
        if not program.exists():
            sys.exit(f"error: {program} is not there: build it, by tests/run.sh release clang")
    for campaign in CAMPAIGNS:
        one, other = (fingerprint(program, campaign) for program in programs)
        if one != other:
            sys.exit(f"error: mirbft-sim {' '.join(campaign)} gives {one} and {other}")
        print(f"{one}  mirbft-sim {' '.join(campaign)}")


main()
