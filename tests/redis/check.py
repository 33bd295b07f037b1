#!/usr/bin/env python3
"""mirbft-redis as its user meets it: with Redis' own tools, beside a real Redis, and wrongly used.

    check.py BIN     BIN holds mirbft-redis
"""
import contextlib
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True  # the tree stays as it is
sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "kv"))

from cluster import Cluster

from differential import Course
from resp import Connection, encoded
from servers import LIMIT, Gateway, Redis

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BIN = pathlib.Path(sys.argv.pop(1) if len(sys.argv) > 1 else ROOT / "build/release/bin").resolve()
# What npm says then.
UNREACHABLE = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH")
DEFAULT_TESTS = {"PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "LPUSH", "RPUSH", "LPOP",
                 "RPOP", "SADD", "HSET", "SPOP", "ZADD", "ZPOPMIN",
                 "LPUSH (needed to benchmark LRANGE)", "LRANGE_100 (first 100 elements)",
                 "LRANGE_300 (first 300 elements)", "LRANGE_500 (first 500 elements)",
                 "LRANGE_600 (first 600 elements)", "MSET (10 keys)"}


def run(*command, stdin=""):
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=LIMIT)


class Tools(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway(BIN)
        cls.addClassCleanup(cls.gateway.stop)

    def connection(self):
        made = Connection(self.gateway.port)
        self.addCleanup(made.close)
        return made

    def test_benchmark(self):
        done = run("redis-benchmark", "-p", str(self.gateway.port), "-n", "1000", "-q")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = re.split(r"[\r\n]+", done.stdout)
        finished = {line.split(":")[0].strip() for line in lines if "requests per second" in line}
        self.assertEqual(finished, DEFAULT_TESTS)

    def test_benchmark_with_pipelines_and_random_keys(self):
        done = run("redis-benchmark", "-p", str(self.gateway.port), "-n", "5000", "-P", "32",
                   "-r", "1000", "-t", "set,get,incr,lpush,sadd,zadd", "-q")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.count("requests per second"), 6)

    def test_command_line(self):
        script = ("SELECT 2\nSET greeting 'hello world'\nGET greeting\nLPUSH l a b\n"
                  "LRANGE l 0 -1\nMULTI\nINCR n\nINCR n\nEXEC\nNOSUCH\n")
        done = run("redis-cli", "-p", str(self.gateway.port), stdin=script)
        self.assertEqual(done.stdout, "OK\nOK\nhello world\n2\nb\na\nOK\nQUEUED\nQUEUED\n1\n2\n"
                                      "ERR unknown command 'NOSUCH', with args beginning with: "
                                      "\n\n")
        done = run("redis-cli", "-3", "-p", str(self.gateway.port), "HSET", "h", "f", "1")
        self.assertEqual((done.returncode, done.stdout), (0, "1\n"))

    def test_a_long_pipeline_keeps_its_order(self):
        connection = self.connection()
        count = 30_000
        connection.send(encoded([b"del", b"counter"]))
        connection.send(b"".join(encoded([b"incr", b"counter"]) + b"ping x\r\n"
                                 for _ in range(count)))
        connection.read()
        for number in range(1, count + 1):
            self.assertEqual(connection.read().raw, b":%d\r\n" % number)
            self.assertEqual(connection.read().raw, b"$1\r\nx\r\n")

    def test_who_does_not_read_is_not_read_from(self):
        """Replies of 1 GiB are asked for; far fewer bytes of requests than those go in."""
        connection = self.connection()
        connection.ask("set", "large", "x" * 50_000)
        question = encoded([b"get", b"large"]) * 1000
        connection.socket.settimeout(2)
        with self.assertRaises(socket.timeout):
            for _ in range(20_000):
                connection.socket.sendall(question)
        status = pathlib.Path(f"/proc/{self.gateway.process.pid}/status").read_text()
        self.assertLess(int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]), 200_000)

    def test_a_protocol_error_ends_the_connection(self):
        connection = self.connection()
        connection.send(b"ping\r\n*1\r\nping\r\nping\r\n")
        self.assertEqual(connection.read().raw, b"+PONG\r\n")
        self.assertEqual(connection.read().raw, b"-ERR Protocol error: expected '$', got 'p'\r\n")
        with self.assertRaises(EOFError):
            connection.read()

    def test_quit(self):
        connection = self.connection()
        connection.send(b"incr q\r\nquit\r\nincr q\r\n")
        self.assertEqual(connection.read().raw, b":1\r\n")
        self.assertEqual(connection.read().raw, b"+OK\r\n")
        with self.assertRaises(EOFError):
            connection.read()
        self.assertEqual(self.connection().ask("get", "q").text, b"1")


class Beside(unittest.TestCase):
    @unittest.skipUnless(shutil.which("redis-check-rdb"), "needs the package redis-tools")
    def test_a_real_redis_says_the_same(self):
        """differential.py goes on for longer, and with other seeds."""
        with Redis() as redis, Gateway(BIN) as gateway:
            Course(redis, gateway, seed=1).run(12_000)


class OfACluster(unittest.TestCase):
    """Four replicas with logs on disk, TLS between all, and signed requests."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="mirbft-redis-")
        self.addCleanup(folder.cleanup)
        self.cluster = Cluster(BIN, folder.name, service="redis", settings={"batch_delay_ms": 1})
        self.addCleanup(self.cluster.close)
        self.cluster.start()

    def gateway(self):
        return Gateway(BIN, client=self.cluster.folder / "client.json")

    @unittest.skipUnless(shutil.which("redis-check-rdb"), "needs the package redis-tools")
    def test_a_real_redis_says_the_same(self):
        with Redis() as redis, self.gateway() as gateway:
            Course(redis, gateway, seed=2).run(500)
        self.cluster.await_agreement()

    def test_what_was_answered_is_there_after_all_were_killed(self):
        with self.gateway() as gateway:
            connection = Connection(gateway.port)
            for i in range(100):
                connection.send(encoded([b"rpush", b"list", b"%d" % i]))
            self.assertEqual([connection.read().raw for _ in range(100)],
                             [b":%d\r\n" % (i + 1) for i in range(100)])
            connection.close()
            for replica in self.cluster.replicas:
                replica.kill()
            self.cluster.start()
            connection = Connection(gateway.port)
            found = [item.text for item in connection.ask("lrange", "list", "0", "-1").items]
            self.assertEqual(found, [b"%d" % i for i in range(100)])
            connection.close()

    def test_benchmark(self):
        with self.gateway() as gateway:
            done = run("redis-benchmark", "-p", str(gateway.port), "-n", "200", "-P", "16", "-q")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.count("requests per second"), len(DEFAULT_TESTS))


class Library(unittest.TestCase):
    """A client library of npm: which one, and in which version, is in npm/package.json."""

    @classmethod
    def setUpClass(cls):
        if not shutil.which("npm"):
            raise unittest.SkipTest("needs the package npm")
        cls.folder = BIN.parent / "npm-redis"
        cls.folder.mkdir(exist_ok=True)
        for file in (HERE / "npm").iterdir():
            shutil.copy(file, cls.folder)
        done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--prefer-offline"],
                              cwd=cls.folder, capture_output=True, text=True, timeout=5 * LIMIT)
        if done.returncode != 0 and any(word in done.stderr for word in UNREACHABLE):
            raise unittest.SkipTest("the registry of npm cannot be reached")
        if done.returncode != 0:
            raise AssertionError(done.stderr)

    def drive(self, gateway):
        done = subprocess.run(["node", "drive.mjs", str(gateway.port)], cwd=self.folder,
                              capture_output=True, text=True, timeout=5 * LIMIT)
        self.assertEqual((done.returncode, done.stdout), (0, "RESP2: good\nRESP3: good\n"),
                         done.stderr)

    def test_alone(self):
        with Gateway(BIN) as gateway:
            self.drive(gateway)

    def test_a_cluster(self):
        with tempfile.TemporaryDirectory(prefix="mirbft-redis-") as folder, \
                contextlib.closing(Cluster(BIN, folder, service="redis",
                                           settings={"batch_delay_ms": 1})) as cluster:
            cluster.start()
            with Gateway(BIN, client=cluster.folder / "client.json") as gateway:
                self.drive(gateway)
            cluster.await_agreement()


class Usage(unittest.TestCase):
    def refuse(self, *arguments):
        done = run(BIN / "mirbft-redis", *arguments)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertEqual(done.stderr.count("\n"), 1)
        return done.stderr

    def test_wrong_input_is_one_line(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.assertEqual(self.refuse("--local", "--port", str(port)),
                             f"error: port = {port}: is in use; stop who has it or choose another "
                             "port\n")
        self.assertTrue(self.refuse("--local", "--host", "nowhere").startswith(
            'error: host = "nowhere": must be an IP address of this machine'))
        self.assertTrue(self.refuse("--local", "--host", "192.0.2.1").startswith(
            'error: host = "192.0.2.1": must be an IP address of this machine'))
        self.assertTrue(self.refuse().startswith("error: command line = "))
        self.assertTrue(self.refuse("--local", "--config", "x").startswith("error: command line"))
        self.assertTrue(self.refuse("--config", "missing").startswith("error: missing = "))
        self.assertTrue(self.refuse("--local", "--nosuch").startswith("error: command line = "))

    def test_too_many_connections(self):
        with Gateway(BIN, "--connections", "2") as gateway:
            connections = [Connection(gateway.port) for _ in range(2)]
            for connection in connections:
                connection.ask("ping")
            refused = Connection(gateway.port)
            self.assertEqual(refused.read().raw, b"-ERR max number of clients reached\r\n")
            for connection in [*connections, refused]:
                connection.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
