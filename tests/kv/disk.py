#!/usr/bin/env python3
"""Disks that are full: of one replica, of all at once, and a limit on the size of files.

    disk.py [--rounds N] [--seed N] BIN     BIN holds mirbft-testnet, mirbft-kv and mirbft-client

Each data directory is a small file system of its own, in a mount namespace that ends with this
program; a file beside the logs takes up what is free. Prints a line for each thing that was shown.
"""
import argparse
import errno
import os
import pathlib
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time

from cluster import LIMIT, Cluster, await_that
from kill import Writer, check_writes

CLIENTS = 3
DISK = 16 << 20
NO_SPACE = os.strerror(errno.ENOSPC)
TOO_LARGE = os.strerror(errno.EFBIG)


class Disk:
    """The file system of a replica's data."""

    def __init__(self, replica):
        self.replica = replica
        self.place = replica.config.with_suffix("")
        self.ballast = self.place / "ballast"
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", self.place],
                       check=True)
        subprocess.run([replica.binary, "--config", replica.config, "--init"], check=True,
                       stdout=subprocess.DEVNULL)

    def fill(self):
        """Takes what is free; the replica may free more later."""
        with open(self.ballast, "ab") as file:
            for size in (1 << 16, 1 << 12, 1):
                try:
                    while True:
                        os.write(file.fileno(), bytes(size))
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise

    def make_room(self):
        self.ballast.unlink()


def check_end(replica, reason):
    """A replica has ended with status 1 and one line that says why; returns that line."""
    said = replica.log.read_text().splitlines()
    if replica.process.wait(LIMIT) != 1:
        raise AssertionError(f"node {replica.number} ended with {replica.process.returncode}")
    if reason not in said[-1] or sum(reason in line for line in said) != 1:
        raise AssertionError(f"node {replica.number} said:\n" + "\n".join(said))
    replica.log.write_text("")
    return said[-1]


def await_end(replica, reason, meanwhile=lambda: None):
    """A replica ends by itself."""
    def has_ended():
        meanwhile()
        return replica.process.poll() is not None
    await_that(has_ended, f"node {replica.number} ends")
    return check_end(replica, reason)


def await_progress(writers, victim=None):
    """Writes go on, though without this one."""
    before = sum(writer.done for writer in writers)
    await_that(lambda: sum(writer.done for writer in writers) > before + 1000, "writes go on")
    if victim and victim.process.poll() is None:
        raise AssertionError(f"node {victim.number} has not ended")


def come_back(replicas):
    for replica in replicas:
        replica.start()
    for replica in replicas:
        replica.await_ready()


def one_full_disk(disk, writers):
    line = await_end(disk.replica, NO_SPACE, disk.fill)
    await_progress(writers, disk.replica)
    # It starts with what room its files have, and ends again for the same reason.
    disk.replica.start()
    await_end(disk.replica, NO_SPACE, disk.fill)
    disk.make_room()
    come_back([disk.replica])
    await_progress(writers)
    print(f"one full disk: {line}; the others went on, and it came back", flush=True)


def all_full_disks(cluster, disks, writers):
    """Once two have ended nothing is written any more: the other two may not notice."""
    def ended():
        for disk in disks:
            disk.fill()
        return [replica for replica in cluster.replicas if replica.process.poll() is not None]
    await_that(lambda: len(ended()) >= 2, "nodes end")
    done = sum(writer.done for writer in writers)
    for replica in cluster.replicas:
        if replica.process.poll() is None:
            replica.kill()
            replica.log.write_text("")  # its end may have come first, and is not the next one
        else:
            check_end(replica, NO_SPACE)
    for disk in disks:
        disk.make_room()
    come_back(cluster.replicas)
    await_progress(writers)
    print(f"all disks full: the cluster stood still after {done} writes, and came back", flush=True)


def limited_files(replica, writers):
    """As `ulimit -f` has it, or a quota."""
    smaller = (64 << 10, resource.RLIM_INFINITY)
    resource.prlimit(replica.process.pid, resource.RLIMIT_FSIZE, smaller)
    line = await_end(replica, TOO_LARGE)
    come_back([replica])
    await_progress(writers)
    print(f"a limit on files: {line}", flush=True)


def run_rounds(cluster, rounds, choose):
    disks = [Disk(replica) for replica in cluster.replicas]
    cluster.start()
    writers = [cluster.client(Writer) for _ in range(CLIENTS)]
    began = time.monotonic()
    for _ in range(rounds):
        await_progress(writers)
        one_full_disk(choose.choice(disks), writers)
        all_full_disks(cluster, disks, writers)
        limited_files(choose.choice(cluster.replicas), writers)
    for writer in writers:
        writer.finish()
    checked = check_writes(cluster, writers)
    cluster.await_agreement()
    for replica in cluster.replicas:
        status = replica.kill(signal.SIGTERM)
        if status != 0:
            raise AssertionError(f"node {replica.number} ended with {status}")
    print(f"{rounds} rounds: all of {sum(writer.done for writer in writers)} acknowledged writes "
          f"were found again ({checked} keys read), {time.monotonic() - began:.0f} s")


def run(binaries, rounds, seed):
    with tempfile.TemporaryDirectory(prefix="mirbft-disk-") as folder:
        cluster = Cluster(binaries, folder, clients=CLIENTS + 1,
                          settings={"segment_kib": 256, "epoch_length": 32})
        for replica in cluster.replicas:
            (replica.config.with_suffix("") / "node.json").unlink()
            (replica.config.with_suffix("") / "lock").unlink(missing_ok=True)
        try:
            run_rounds(cluster, rounds, random.Random(seed))
        except AssertionError as error:
            cluster.tell_logs()
            print(f"disk.py --rounds {rounds} --seed {seed}: {error}", file=sys.stderr)
            return 1
        finally:
            cluster.close()
            for replica in cluster.replicas:
                subprocess.run(["umount", replica.config.with_suffix("")], check=False)
    return 0


def in_own_namespace():
    """Starts this program again where it may mount, and where nobody else sees it."""
    own = "MIRBFT_DISK_TEST"
    if own in os.environ:
        return
    command = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount",
                                                                "--map-root-user"]
    if subprocess.run(command + ["true"], check=False, capture_output=True).returncode != 0:
        sys.exit("disk.py: this machine does not let a user mount: run it as root")
    os.execvpe(command[0], command + [sys.executable] + sys.argv, {**os.environ, own: "1"})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("bin", type=pathlib.Path)
    options = parser.parse_args()
    in_own_namespace()
    return run(options.bin.resolve(), options.rounds, options.seed)


if __name__ == "__main__":
    sys.exit(main())
