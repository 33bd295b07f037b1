"""A real Redis and our gateway, each on a free port of this machine and without anything kept."""
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

LIMIT = 60  # seconds, on a machine that is busy with other things


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A process that listens on `self.port` once it is made; `stop()` ends it."""

    def stop(self):
        self.process.terminate()
        self.process.wait(LIMIT)
        if self.process.stdout:
            self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Redis(Server):
    def __init__(self):
        # In Debian, redis-server is the same program by another name. The package of that name
        # would also start it as a service.
        program = shutil.which("redis-server") or shutil.which("redis-check-rdb")
        self.folder = tempfile.mkdtemp(prefix="mirbft-redis-")
        for _ in range(20):
            self.port = free_port()
            self.process = subprocess.Popen(
                ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
                 "--appendonly", "no"],
                executable=program, cwd=self.folder, stdout=subprocess.DEVNULL)
            if self.is_ready():
                return
            self.process.wait(LIMIT)  # another took the port meanwhile
        raise AssertionError("no port for redis-server")

    def is_ready(self):
        deadline = time.monotonic() + LIMIT
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return True
            except ConnectionRefusedError:
                time.sleep(0.02)
        return False

    def stop(self):
        super().stop()
        shutil.rmtree(self.folder)


class Gateway(Server):
    """Of the cluster that `client` is the client's file of; by default it keeps the data itself."""

    def __init__(self, folder, *arguments, client=None):
        where = ["--config", client] if client else ["--local"]
        self.process = subprocess.Popen(
            [pathlib.Path(folder) / "mirbft-redis", *where, "--port", "0", *arguments],
            stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("ready on 127.0.0.1:"):
            self.stop()
            raise AssertionError(f"mirbft-redis says {line!r}")
        self.port = int(line.rsplit(":", 1)[1])
