#!/usr/bin/env python3
"""kill -9 under load: every write that was acknowledged is found again, at every replica.

    kill.py [--cycles N] [--seed N] BIN     BIN holds mirbft-testnet and mirbft-kv

In each cycle one replica, or now and then all at once, is killed at a random moment while every
replica's client writes, and started again. Prints a line every 5 s, and a summary.
"""
import argparse
import pathlib
import random
import sys
import tempfile
import threading
import time

from cluster import Cluster, Replica

UNDER_WAY = 64   # requests of each client
KEYS = 1000      # of each client; each write of a key has a higher number than the one before


class Writer(Replica):
    """Keeps writing `key -> count`, and knows for each key the last write it had acknowledged and
    all that it has sent since: what is found later must be one of these."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.writes = 0
        self.done = 0
        self.last_done = {}
        self.last_sent = {}
        self.going = threading.Event()
        self.over = False
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self):
        while not self.over:
            self.going.wait()
            with self.lock:
                if not self.lock.wait_for(lambda: len(self.open) < UNDER_WAY, 1):
                    continue
            if not self.going.is_set():
                continue
            count = self.writes
            self.writes += 1
            key = f"c{self.number}:{count % KEYS}"
            self.last_sent[key] = count
            self.send(f"SET {key} {count}")

    def acknowledged(self, number):
        self.done += 1
        if number < self.writes:
            key = f"c{self.number}:{number % KEYS}"
            self.last_done[key] = max(number, self.last_done.get(key, -1))


def check_writes(cluster):
    """Each replica is asked for all keys of all clients."""
    checked = 0
    for replica in cluster.replicas:
        asked = []
        for writer in cluster.replicas:
            asked += [(replica.send(f"GET {key}", awaited=True), key, count, writer.last_sent[key])
                      for key, count in writer.last_done.items()]
        replica.await_all()
        for number, key, done, sent in asked:
            found = replica.answers.pop(number).removeprefix("$")
            if not found.isdigit() or not done <= int(found) <= sent:
                raise AssertionError(f"node {replica.number}: {key} is {found!r}; write {done} was "
                                     f"acknowledged, and {sent} was the last one")
            checked += 1
    return checked


def run(binaries, cycles, seed):
    choose = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="mirbft-kill-") as folder:
        cluster = Cluster(binaries, folder, kind=Writer,
                          settings={"segment_kib": 256, "epoch_length": 32})
        try:
            cluster.start()
            for replica in cluster.replicas:
                replica.going.set()
            told = began = time.monotonic()
            for cycle in range(1, cycles + 1):
                time.sleep(choose.uniform(0.02, 0.6))
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
                if time.monotonic() - told > 5:
                    told = time.monotonic()
                    print(f"{cycle} of {cycles} cycles, "
                          f"{sum(replica.done for replica in cluster.replicas)} writes, "
                          f"{told - began:.0f} s", flush=True)
            for replica in cluster.replicas:
                replica.going.clear()
            for replica in cluster.replicas:
                replica.await_all()
            done = sum(replica.done for replica in cluster.replicas)
            checked = check_writes(cluster)
            refused = [line for replica in cluster.replicas for line in replica.refused]
            if refused:
                raise AssertionError(f"{len(refused)} requests were refused, as {refused[0]}")
            print(f"{cycles} kills: all of {done} acknowledged writes were found again "
                  f"({checked} keys read), {time.monotonic() - began:.0f} s")
        except AssertionError as error:
            for replica in cluster.replicas:
                replica.going.clear()
                print(f"--- node {replica.number}\n{replica.log.read_text()[-2000:]}")
            print(f"kill.py --cycles {cycles} --seed {seed}: {error}", file=sys.stderr)
            return 1
        finally:
            for replica in cluster.replicas:
                replica.over = True
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
