#!/usr/bin/env python3
"""More than a cluster can take: a replica that stands still while the others work, and a member
that floods them. Memory stays below `memory_mib`, and work goes on.

    overload.py [--seconds N] [--clients N] [--memory MIB] [--only stop|flood] BIN

BIN holds mirbft-testnet and mirbft-kv; kv_load is in BIN/../tests. Prints the memory used.
"""
import argparse
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

from cluster import LIMIT, Cluster, await_that

PROCESSES = 4      # that the clients are in
UNDER_WAY = 4      # writes of each
LENGTH = 200       # of a value
OF_A_KEY = 400     # bytes that the service needs for one, with its value


class Load:
    """A process that overloads the cluster, and says how far it is."""

    all = []

    def __init__(self, cluster, *arguments):
        Load.all.append(self)
        self.said = ["0"]
        self.log = cluster.folder / "load.log"
        with open(self.log, "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                ["nice", cluster.binaries.parent / "tests/kv_load", *map(str, arguments)],
                stdout=subprocess.PIPE, stderr=log, text=True)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        for line in self.process.stdout:
            self.said = line.split()
        self.process.stdout.close()

    def numbers(self):
        if self.process.poll() is not None:
            raise AssertionError("kv_load has ended: " + self.log.read_text())
        return [int(word) for word in self.said]

    def stop(self):
        self.process.terminate()
        if self.process.wait(LIMIT) != 0:
            raise AssertionError("kv_load failed: " + self.log.read_text())


class Crowd:
    """Clients that write all the time, in a few processes."""

    def __init__(self, cluster, count):
        share = count // PROCESSES
        self.parts = [Load(cluster, "crowd", cluster.folder, part * share, share, "--open",
                           UNDER_WAY, "--length", LENGTH) for part in range(PROCESSES)]
        # They all connect at once, each to all replicas.
        await_that(lambda: all(part.numbers()[1:] == [share] for part in self.parts),
                   "all clients write", limit=LIMIT + count)

    def done(self):
        return sum(part.numbers()[0] for part in self.parts)

    def stop(self):
        for part in self.parts:
            part.process.terminate()
        for part in self.parts:
            part.stop()


def peak(replica):
    """In MiB, the most memory that a process has had so far."""
    status = pathlib.Path(f"/proc/{replica.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) >> 10


def check_memory(cluster, options):
    """Returns the most that any replica has used."""
    data = options.clients * UNDER_WAY * OF_A_KEY >> 20
    most = max(peak(replica) for replica in cluster.replicas if replica.process)
    if most > options.memory + data:
        raise AssertionError(f"a replica used {most} MiB of {options.memory}, and {data} of data")
    return most


def work_for(seconds, cluster, crowd, options):
    """Writes go on all that time. Returns how many there were."""
    began = crowd.done()
    before = began
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        await_that(lambda: crowd.done() > before, "writes go on")
        before = crowd.done()
        check_memory(cluster, options)
        time.sleep(min(0.5, max(0, end - time.monotonic())))
    return before - began


def end_all(cluster):
    for replica in cluster.replicas:
        if replica.process and (status := replica.kill(signal.SIGTERM)) != 0:
            raise AssertionError(f"node {replica.number} ended with {status}:\n"
                                 + replica.log.read_text())


def a_replica_stands_still(cluster, options):
    cluster.start()
    crowd = Crowd(cluster, options.clients)
    victim = cluster.replicas[2]
    victim.process.send_signal(signal.SIGSTOP)
    writes = work_for(options.seconds, cluster, crowd, options)
    victim.process.send_signal(signal.SIGCONT)
    target = cluster.replicas[0].status()["protocol"]["next_delivery"]
    await_that(lambda: victim.status()["protocol"]["next_delivery"] >= target,
               "the replica catches up while work goes on")
    crowd.stop()
    cluster.await_agreement()
    most = check_memory(cluster, options)
    end_all(cluster)
    print(f"a replica stood still for {options.seconds} s: {writes} writes meanwhile, it caught "
          f"up, at most {most} MiB of {options.memory}", flush=True)


def a_member_floods(cluster, options):
    *correct, faulty = cluster.replicas
    for replica in correct:
        replica.start()
    for replica in correct:
        replica.await_ready()
    crowd = Crowd(cluster, options.clients)
    flood = Load(cluster, "flood", faulty.config)
    await_that(lambda: flood.numbers()[0] > 0, "the flood comes")
    writes = work_for(options.seconds, cluster, crowd, options)
    megabytes = flood.numbers()[0] / 1e6
    flood.stop()
    crowd.stop()
    most = check_memory(cluster, options)
    end_all(cluster)
    print(f"a member sent {megabytes:.0f} MB in {options.seconds} s: {writes} writes of "
          f"{options.clients} clients meanwhile, at most {most} MiB of {options.memory}",
          flush=True)


PARTS = {"stop": a_replica_stands_still, "flood": a_member_floods}


def run(binaries, options):
    for what in [PARTS[options.only]] if options.only else PARTS.values():
        with tempfile.TemporaryDirectory(prefix="mirbft-overload-") as folder:
            cluster = Cluster(binaries, folder, clients=options.clients,
                              settings={"segment_kib": 256, "epoch_length": 64,
                                        "max_batch_requests": 1024, "memory_mib": options.memory})
            try:
                what(cluster, options)
            except AssertionError as error:
                cluster.tell_logs()
                print(f"overload.py: {error}", file=sys.stderr)
                return 1
            finally:
                for load in Load.all:
                    load.process.kill()
                    load.process.wait(LIMIT)
                cluster.close()
    return 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--clients", type=int, default=40)
    parser.add_argument("--memory", type=int, default=288)
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("bin", type=pathlib.Path)
    options = parser.parse_args()
    return run(options.bin.resolve(), options)


if __name__ == "__main__":
    sys.exit(main())
