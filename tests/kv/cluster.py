"""A cluster of mirbft-kv for tests: files by mirbft-testnet, one process a replica, and a client
in each, which gives the replica requests and remembers what was acknowledged."""
import json
import os
import pathlib
import queue
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request

LIMIT = 90  # seconds, on a machine that is busy with other things


def await_that(condition, what, limit=LIMIT, every=0.02):
    """Returns the first true value of `condition()`; what it waits for has no event to wait on."""
    deadline = time.monotonic() + limit
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {limit} s: {what}")
        time.sleep(every)
    return value


class Replica:
    """One replica, started and ended as often as one likes, and the client that lives in it."""

    def __init__(self, binaries, folder, number):
        self.number = number
        self.binary = binaries / "mirbft-kv"
        self.config = folder / f"node-{number}.json"
        self.settings = json.loads(self.config.read_text())
        self.client = folder / ("client.json" if number == 0 else f"client-{number}.json")
        self.log = folder / f"node-{number}.log"
        self.process = None
        self.lock = threading.Condition()
        self.open = {}       # number -> command: sent, and not acknowledged yet
        self.answers = {}    # number -> result, of those that `ask` waits for
        self.awaited = set()
        self.refused = []
        self.next = 0

    def start(self, environment=None):
        with open(self.log, "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [self.binary, "--config", self.config, "--client", self.client],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, bufsize=1,
                env={**os.environ, **(environment or {})})
        threading.Thread(target=self._listen, args=(self.process.stdout,), daemon=True).start()
        with self.lock:
            again = list(self.open.items())
        for number, command in again:  # the same number is the same request
            self._write(number, command)

    def kill(self, how=signal.SIGKILL):
        self.process.send_signal(how)
        status = self.process.wait(LIMIT)
        self.process.stdin.close()
        return status

    def send(self, command, awaited=False):
        with self.lock:
            number = self.next
            self.next += 1
            self.open[number] = command
            if awaited:
                self.awaited.add(number)
        self._write(number, command)
        return number

    def ask(self, command, limit=LIMIT):
        """Sends a command and waits for its result."""
        number = self.send(command, awaited=True)
        with self.lock:
            if not self.lock.wait_for(lambda: number in self.answers, limit):
                raise AssertionError(f"node {self.number}: no answer to {command} in {limit} s")
            return self.answers.pop(number)

    def await_all(self, limit=LIMIT):
        with self.lock:
            if not self.lock.wait_for(lambda: not self.open, limit):
                raise AssertionError(
                    f"node {self.number}: {len(self.open)} requests unanswered after {limit} s")

    def page(self, path):
        """The status and the body of a page of the operator's port; None without an answer."""
        address = f"http://127.0.0.1:{self.settings['http_port']}{path}"
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return None

    def await_ready(self):
        def is_ready():
            if self.process.poll() is not None:
                raise AssertionError(f"node {self.number} has ended:\n" + self.log.read_text())
            return self.page("/readyz") == (200, "ready\n")
        await_that(is_ready, f"node {self.number} is ready")

    def _write(self, number, command):
        try:
            self.process.stdin.write(f"{number} {command}\n")
        except (OSError, ValueError):
            pass  # it was killed: sent again at the next start

    def _listen(self, output):
        for line in output:
            if not line.endswith("\n"):
                break  # cut off by a kill
            number, done, refusal = line.partition(":")
            if not done or not number.isdigit():
                number, _, refusal = line.partition("!")
                if "shut down" not in refusal:
                    self.refused.append(line)
                continue
            with self.lock:
                if self.open.pop(int(number), None) is None:
                    continue
                if int(number) in self.awaited:
                    self.answers[int(number)] = refusal[1:-1]
                    self.awaited.discard(int(number))
                self.acknowledged(int(number))
                self.lock.notify_all()
        output.close()

    def acknowledged(self, number):
        """Called for each acknowledgement, with the lock held."""


class Cluster:
    def __init__(self, binaries, folder, nodes=4, kind=Replica, settings=None):
        self.folder = pathlib.Path(folder) / "net"
        subprocess.run([binaries / "mirbft-testnet", "init", "--nodes", str(nodes), "--clients",
                        str(nodes), "--out", self.folder], check=True, stdout=subprocess.DEVNULL)
        for node in range(nodes):
            path = self.folder / f"node-{node}.json"
            path.write_text(json.dumps({**json.loads(path.read_text()), **(settings or {})}))
        self.replicas = [kind(binaries, self.folder, node) for node in range(nodes)]

    def start(self):
        for replica in self.replicas:
            replica.start()
        for replica in self.replicas:
            replica.await_ready()

    def close(self):
        for replica in self.replicas:
            if replica.process and replica.process.poll() is None:
                replica.kill()
