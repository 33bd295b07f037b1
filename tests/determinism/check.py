#!/usr/bin/env python3
"""The same inputs make the same event logs, byte for byte, whatever compiler built the nodes."""
import concurrent.futures
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
INCLUDE = HERE.parents[1] / "include"
# Unlike in how much they optimise, too.
COMPILERS = {"g++": "-O1", "clang++": "-O0"}
LIBRARIES = ("-lprotobuf", "-lcrypto", "-pthread")


def build(compiler, folder):
    program = folder / f"event_log-{compiler}"
    subprocess.run([compiler, "-std=c++20", COMPILERS[compiler], "-I", INCLUDE,
                    HERE / "event_log.cpp", "-o", program, *LIBRARIES], check=True)
    return program


def run(program, folder):
    """What the program prints, and the logs that it writes, by name."""
    folder.mkdir()
    printed = subprocess.run([program, folder], check=True, capture_output=True, text=True).stdout
    return printed, {log.name: log.read_bytes() for log in sorted(folder.iterdir())}


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
            programs = list(pool.map(lambda compiler: build(compiler, folder), COMPILERS))
        runs = {"g++": run(programs[0], folder / "first"),
                "g++ once more": run(programs[0], folder / "again"),
                "clang++": run(programs[1], folder / "other")}
    printed, logs = runs["g++"]
    print(printed, end="")
    wrong = [f"{who}: {log} differs from the one of g++" for who, (_, others) in runs.items()
             for log in logs if others.get(log) != logs[log]]
    if len(logs) != 4:
        wrong.append(f"{len(logs)} logs, not 4")
    print(*wrong, f"determinism: {len(wrong)} differences", sep="\n")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
