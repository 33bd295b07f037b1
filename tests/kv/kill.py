#!/usr/bin/env python3
"""kill -9 under load: every write that was acknowledged is found again, and every replica goes on.

    kill.py [--cycles N] [--seed N] BIN     BIN holds mirbft-testnet, mirbft-kv and mirbft-client

In each cycle one replica, or now and then all at once, is killed at a random moment while clients
write, and started again. Prints a line every 5 s, and a summary.
"""
import argparse
import pathlib
import random
import sys
import tempfile
import threading
import time

from cluster import Client, Cluster

CLIENTS = 4
KEYS = 1000      # of each client; each write of a key has a higher number than the one before
UNDER_WAY = 64   # requests of each client


class Writer(Client):
    """Keeps writing `key -> count`, and knows for each key the last write that was acknowledged
    and the last one that was sent: what is found later must lie between."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.last_done = {}
        self.last_sent = {}
        self.refused = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def _work(self):
        count = 0
        while not self.over.is_set():
            with self.lock:
                if not self.lock.wait_for(lambda: len(self.open) < UNDER_WAY, 0.2):
                    continue
            key = f"c{self.number}:{count % KEYS}"
            self.last_sent[key] = count
            self.send(f"SET {key} {count}")
            count += 1

    def acknowledged(self, command, answer):
        if answer not in ("+OK", "! delivered, but no replica remembers the result"):
            self.refused.append(f"{command}: {answer}")
        else:
            _, key, count = command.split()
            self.last_done[key] = int(count)

    def finish(self):
        self.over.set()
        self.thread.join()
        self.await_all()
        if self.refused:
            raise AssertionError(f"{len(self.refused)} requests failed, as {self.refused[0]}")


def check_writes(cluster, writers):
    """All keys are read; returns how many."""
    reader = cluster.client()
    asked = []
    for writer in writers:
        for key, done in writer.last_done.items():
            result = []
            reader.send(f"GET {key}", result)
            asked.append((key, done, writer.last_sent[key], result))
    reader.await_all()
    for key, done, sent, (found,) in asked:
        found = found.removeprefix("$")
        if not found.isdigit() or not done <= int(found) <= sent:
            raise AssertionError(f"{key} is {found!r}; write {done} was acknowledged, and {sent} "
                                 "was the last one")
    return len(asked)


def kill_some(cluster, choose):
    all_at_once = choose.random() < 0.2
    victims = cluster.replicas if all_at_once else [choose.choice(cluster.replicas)]
    for replica in victims:
        replica.process.kill()
    for replica in victims:
        replica.kill()
    if not all_at_once:
        time.sleep(choose.uniform(0, 0.5))
    for replica in victims:
        replica.start()
    for replica in cluster.replicas:
        replica.await_ready()


def run_cycles(cluster, cycles, choose):
    cluster.start()
    writers = [cluster.client(Writer) for _ in range(CLIENTS)]
    told = began = time.monotonic()
    for cycle in range(1, cycles + 1):
        time.sleep(choose.uniform(0.02, 0.6))
        kill_some(cluster, choose)
        if time.monotonic() - told > 5:
            told = time.monotonic()
            print(f"{cycle} of {cycles} cycles, {sum(writer.done for writer in writers)} writes, "
                  f"{told - began:.0f} s", flush=True)
    for writer in writers:
        writer.finish()
    checked = check_writes(cluster, writers)
    cluster.await_agreement()
    print(f"{cycles} kills: all of {sum(writer.done for writer in writers)} acknowledged writes "
          f"were found again ({checked} keys read), {time.monotonic() - began:.0f} s")


def run(binaries, cycles, seed):
    with tempfile.TemporaryDirectory(prefix="mirbft-kill-") as folder:
        cluster = Cluster(binaries, folder, clients=CLIENTS + 1,
                          settings={"segment_kib": 256, "epoch_length": 32})
        try:
            run_cycles(cluster, cycles, random.Random(seed))
        except AssertionError as error:
            for replica in cluster.replicas:
                print(f"--- {replica.page('/status')}")
            cluster.tell_logs()
            print(f"kill.py --cycles {cycles} --seed {seed}: {error}", file=sys.stderr)
            return 1
        finally:
            cluster.close()
    return 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cycles", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("bin", type=pathlib.Path)
    options = parser.parse_args()
    return run(options.bin.resolve(), options.cycles, options.seed)


if __name__ == "__main__":
    sys.exit(main())
