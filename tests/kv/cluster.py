"""A cluster of mirbft-kv for tests: files by mirbft-testnet, one process a replica, and clients,
each a mirbft-client that reads its commands from a pipe."""
import collections
import contextlib
import json
import os
import pathlib
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
    """One replica, started and ended as often as one likes."""

    def __init__(self, binaries, folder, number):
        self.number = number
        self.binary = binaries / "mirbft-kv"
        self.config = folder / f"node-{number}.json"
        self.log = folder / f"node-{number}.log"
        self.process = None

    @property
    def settings(self):
        return json.loads(self.config.read_text())

    def start(self, environment=None):
        with open(self.log, "a", encoding="utf-8") as log:
            self.process = subprocess.Popen([self.binary, "--config", self.config], stderr=log,
                                            env={**os.environ, **(environment or {})})

    def kill(self, how=signal.SIGKILL):
        self.process.send_signal(how)
        return self.process.wait(LIMIT)

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

    def status(self):
        return json.loads(self.page("/status")[1])["node"]

    def await_ready(self):
        def is_ready():
            if self.process.poll() is not None:
                raise AssertionError(f"node {self.number} has ended:\n" + self.log.read_text())
            page = self.page("/readyz")
            return page and page[0] == 200 and page[1].startswith("ready\n")
        await_that(is_ready, f"node {self.number} is ready")


class Client:
    """Sends commands, and keeps those without an answer: answers come in their order."""

    def __init__(self, binaries, folder, number):
        self.number = number
        config = folder / ("client.json" if number == 0 else f"client-{number}.json")
        self.log = folder / f"client-{number}.log"
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [binaries / "mirbft-client", "--config", config, "--deadline", str(LIMIT), "-"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, bufsize=1)
        self.lock = threading.Condition()
        self.open = collections.deque()  # (command, list for its result or None)
        self.done = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def send(self, command, result=None):
        """`result` is a list that the answer is added to."""
        with self.lock:
            self.open.append((command, result))
        self.process.stdin.write(command + "\n")

    def ask(self, command):
        """Sends a command and waits for its result."""
        result = []
        self.send(command, result)
        with self.lock:
            if not self.lock.wait_for(lambda: result, LIMIT):
                raise AssertionError(f"no answer to {command} in {LIMIT} s")
        return result[0]

    def await_all(self):
        with self.lock:
            if not self.lock.wait_for(lambda: not self.open, LIMIT):
                raise AssertionError(f"{len(self.open)} requests unanswered after {LIMIT} s")

    def close(self):
        self.process.stdin.close()
        return self.process.wait(LIMIT)

    def _listen(self):
        for line in self.process.stdout:
            with self.lock:
                command, result = self.open.popleft()
                if result is not None:
                    result.append(line[:-1])
                self.done += 1
                self.acknowledged(command, line[:-1])
                self.lock.notify_all()
        self.process.stdout.close()

    def acknowledged(self, command, answer):
        """Called for each answer, with the lock held."""


class Cluster:
    def __init__(self, binaries, folder, nodes=4, clients=1, settings=None, service="key-value"):
        self.binaries = binaries
        self.folder = pathlib.Path(folder) / "net"
        self.clients = []
        subprocess.run([binaries / "mirbft-testnet", "init", "--nodes", str(nodes), "--clients",
                        str(clients), "--service", service, "--out", self.folder], check=True,
                       stdout=subprocess.DEVNULL)
        for node in range(nodes):
            path = self.folder / f"node-{node}.json"
            path.write_text(json.dumps({**json.loads(path.read_text()), **(settings or {})}))
        self.replicas = [Replica(binaries, self.folder, node) for node in range(nodes)]

    def start(self):
        for replica in self.replicas:
            replica.start()
        for replica in self.replicas:
            replica.await_ready()

    def tell_logs(self):
        """The last words of all, for whoever finds out why a test has failed."""
        for who in self.replicas + self.clients:
            if who.log.exists():
                print(f"--- {who.log.name}\n{who.log.read_text()[-2000:]}")

    def client(self, kind=Client):
        self.clients.append(kind(self.binaries, self.folder, len(self.clients)))
        return self.clients[-1]

    def await_agreement(self):
        """Waits until all replicas have delivered equally much."""
        def delivered():
            return {replica.status()["protocol"]["next_delivery"] for replica in self.replicas}
        await_that(lambda: len(delivered()) == 1, "all have delivered the same")

    def close(self):
        for client in self.clients:
            if client.process.poll() is None:
                client.process.kill()
                client.process.wait(LIMIT)
            with contextlib.suppress(BrokenPipeError):
                client.process.stdin.close()
        for replica in self.replicas:
            if replica.process and replica.process.poll() is None:
                replica.kill()
