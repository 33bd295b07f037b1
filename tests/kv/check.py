#!/usr/bin/env python3
"""mirbft-testnet, mirbft-kv and mirbft-client as people meet them: what they print and leave.

    check.py BIN     BIN holds them
"""
import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from cluster import LIMIT, Cluster, await_that

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(sys.argv.pop(1) if len(sys.argv) > 1 else ROOT / "build/release/bin").resolve()


def run_program(name, *arguments, environment=None):
    return subprocess.run([BIN / name, *arguments], capture_output=True, text=True, timeout=LIMIT,
                          env={**os.environ, **(environment or {})})


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="mirbft-check-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def assert_refused(self, run, *texts, status=2):
        """One line on standard error that says what is wrong, and nothing else."""
        self.assertEqual((run.returncode, run.stdout), (status, ""), run.stderr)
        self.assertEqual(run.stderr.count("\n"), 1, run.stderr)
        for text in texts:
            self.assertIn(str(text), run.stderr)

    def init(self, *arguments, out="net"):
        return run_program("mirbft-testnet", "init", "--out", self.folder / out, *arguments)


class Files(Folder):
    """What init writes, and what --check says of it once it was changed."""

    def setUp(self):
        super().setUp()
        self.assertEqual(self.init().returncode, 0)
        self.net = self.folder / "net"
        self.config = self.net / "node-1.json"

    def change(self, /, **fields):
        self.config.write_text(json.dumps({**json.loads(self.config.read_text()), **fields}))

    def check(self, **environment):
        return run_program("mirbft-kv", "--config", self.config, "--check",
                           environment=environment)

    def assert_wrong(self, *texts):
        self.assert_refused(self.check(), self.config, *texts)
        self.assert_refused(run_program("mirbft-kv", "--config", self.config), *texts)

    def test_init_writes_a_cluster(self):
        names = {"client.json"}
        for node in range(4):
            names |= {f"node-{node}" + end for end in ("", ".json", ".key", ".crt", ".crt.key")}
            run = run_program("mirbft-kv", "--config", self.net / f"node-{node}.json", "--check")
            self.assertEqual((run.returncode, run.stderr), (0, ""))
            self.assertTrue(run.stdout.endswith(f"node-{node}.json is good\n"))
        self.assertEqual({path.name for path in self.net.iterdir()}, names)
        for secret in ("client.json", "node-0.key", "node-0.crt.key"):
            self.assertEqual((self.net / secret).stat().st_mode & 0o777, 0o600)

    def test_init_with_ports(self):
        self.assertEqual(self.init("--base-port", "7000", "--nodes", "2", out="b").returncode, 0)
        config = json.loads((self.folder / "b" / "node-1.json").read_text())
        self.assertEqual([member["port"] for member in config["members"]], [7000, 7003])
        self.assertEqual(config["http_port"], 7005)
        self.assertEqual([member["client_port"] for member in config["members"]], [7001, 7004])

    def test_init_refuses(self):
        self.assert_refused(self.init(), "--out = ", self.net, "is there and not empty")
        self.assert_refused(self.init("--nodes", "0", out="a"), "--nodes = 0: must be from 1")
        self.assert_refused(self.init("--base-port", "65530", out="a"), "--base-port = 65530")
        self.assert_refused(self.init("--base-port", "80", out="a"), "must be from 1024 on")
        self.assert_refused(run_program("mirbft-testnet", "up", self.folder),
                            "holds no node-0.json")
        self.assert_refused(run_program("mirbft-testnet"), "subcommand is required")

    def test_a_file_that_cannot_be_read(self):
        self.config.unlink()
        self.assert_wrong("No such file or directory: must be a file that this user can read")

    def test_no_json(self):
        self.config.write_text('{"self": 1,\n"members" []}')
        self.assert_wrong("line 2: must be a JSON object")

    def test_an_unknown_field(self):
        self.change(prot=1)
        self.assert_wrong("prot = (unknown field): correct its name or remove it; known here: ")

    def test_a_value_of_the_wrong_kind(self):
        self.change(http_port="high")
        self.assert_wrong('http_port = "high": must be a whole number in range')

    def test_no_member(self):
        self.change(self=9)
        self.assert_wrong("self = 9: is no member")

    def test_wrong_ports(self):
        members = json.loads(self.config.read_text())["members"]
        self.change(http_port=members[2]["port"])
        self.assert_wrong("http_port = ", "is taken by another line of this file")
        members[2]["port"] = 0
        self.change(members=members)
        self.assert_wrong("port of member 2 = 0: must be where it listens")

    def test_wrong_keys(self):
        key = self.net / "node-1.key"
        other = self.net / "node-2.key"
        self.change(key_file="node-2.key")
        self.assert_wrong("is not the secret to the public key of member 1")
        self.change(key_file="node-9.key")
        self.assert_wrong("node-9.key = No such file or directory")
        self.change(key_file="node-1.key")
        key.chmod(0o644)
        self.assert_wrong("node-1.key = a file that others may read", "chmod 600")
        key.chmod(0o600)
        key.write_text(other.read_text()[:-3] + "\n")
        self.assert_wrong("node-1.key = no key: must hold 64 hexadecimal digits")

    def test_wrong_certificates(self):
        self.change(certificate_file="node-2.crt")
        self.assert_wrong("node-1.crt.key = not shown: belongs to another certificate")
        self.change(certificate_key_file="node-2.crt.key")
        self.assert_wrong("is not what `certificates` says of this node")
        self.change(certificate_file="node-2.key")
        self.assert_wrong("node-2.key = 65 bytes: must be an X.509 certificate in PEM")
        self.change(certificate_file="node-1.crt", certificate_key_file="node-1.crt.key")
        members = json.loads(self.config.read_text())["members"]
        members[3]["certificates"] = []
        self.change(members=members)
        self.assert_wrong("certificates of node 3 = none: name at least one certificate")

    def test_a_public_key_that_is_none(self):
        members = json.loads(self.config.read_text())["members"]
        members[0]["public_key"] = "00" * 32
        self.change(members=members)
        self.assert_wrong("public_key of member 0 = 0000", "is no Ed25519 public key")

    def test_the_directory_of_another_node(self):
        self.change(data="node-2")
        self.assert_wrong("node-2", 'is the directory of node 2 of cluster "mirbft-testnet"')

    def test_a_directory_that_is_none(self):
        self.change(data="node-2.json")
        self.assert_wrong("data = ", "is no directory")

    def test_init_of_one_node(self):
        run = run_program("mirbft-kv", "--config", self.config, "--init")
        self.assert_refused(run, "data = ", "is there and not empty")
        self.change(data="elsewhere")
        run = run_program("mirbft-kv", "--config", self.config, "--init")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        marker = json.loads((self.net / "elsewhere" / "node.json").read_text())
        self.assertEqual(marker, {"cluster": "mirbft-testnet", "node": 1, "state": "new"})

    def test_where_it_listens(self):
        self.change(listen_host="0.0.0.0")
        self.assertEqual(self.check().returncode, 0)
        self.change(listen_host="everywhere")
        self.assert_wrong('listen_host = "everywhere": must be an IP address of this machine')
        port = json.loads(self.config.read_text())["members"][1]["port"]
        self.change(listen_host="0.0.0.0", http_port=port)
        self.assert_wrong(f"http_port = {port}: is taken by another line of this file")

    def test_the_environment(self):
        self.assertEqual(self.check(MIRBFT_KV_HTTP_PORT="0").returncode, 0)
        self.assertEqual(self.check(MIRBFT_KV_CLIENTS="[]").returncode, 0)
        for name, value, text in (
                ("HTTP_PORT", "x", 'HTTP_PORT in the environment: http_port = "x": must be'),
                ("KEY_FILE", "node-2.key", "is not the secret"),
                ("MEMBERS", "[{]", "MIRBFT_KV_MEMBERS in the environment = line 1: must be"),
                ("PORT", "7", "MIRBFT_KV_PORT in the environment = (unknown variable)")):
            self.assert_refused(self.check(**{"MIRBFT_KV_" + name: value}), text)

    def test_usage(self):
        for program in ("mirbft-kv", "mirbft-testnet", "mirbft-client"):
            self.assertEqual(run_program(program, "--help").returncode, 0)
            self.assertEqual(run_program(program, "--version").stderr, "")
            self.assert_refused(run_program(program, "--fly"), program + ": ")
        self.assertIn("MIRBFT_KV_SEGMENT_KIB", run_program("mirbft-kv", "--help").stdout)


class Running(Folder):
    """A cluster at work, of which all is asked that an operator asks."""

    def cluster(self, clients=1, **settings):
        made = Cluster(BIN, self.folder, clients=clients,
                       settings={"segment_kib": 256, **settings})
        self.addCleanup(made.close)
        return made

    def test_all_restart_at_once(self):
        cluster = self.cluster(clients=2, epoch_length=32)
        cluster.start()
        clients = [cluster.client(), cluster.client()]
        for count in range(300):
            clients[0].send(f"SET key:{count} {count}")
            clients[1].send("INCR n")
        for how in (signal.SIGTERM, signal.SIGKILL, signal.SIGINT):
            for client in clients:
                client.await_all()
            for replica in cluster.replicas:
                status = replica.kill(how)
                self.assertEqual(status, -9 if how == signal.SIGKILL else 0)
            cluster.start()
            for client in clients:
                self.assertEqual(client.ask("GET n"), "$300")
                self.assertEqual(client.ask("GET key:299"), "$299")
        cluster.await_agreement()
        for client in clients:
            self.assertEqual(client.close(), 0)
            self.assertRegex(client.log.read_text(), r"306 requests, 0 failed, \d+/s, p50 ")

    def test_a_directory_that_is_lost(self):
        cluster = self.cluster(epoch_length=16)
        cluster.start()
        client = cluster.client()
        victim = cluster.replicas[2]
        data = cluster.folder / "node-2"
        client.ask("SET first 1")
        for lose in (lambda: shutil.rmtree(data), lambda: shutil.rmtree(data / "wal"),
                     lambda: shutil.rmtree(data / "store"), lambda: (data / "node.json").unlink()):
            victim.kill()
            lose()
            victim.log.write_text("")
            victim.start()
            victim.await_ready()
            self.assertIn("mirbft-kv: memory lost: ", victim.log.read_text())
            self.assertIn("without memory: ", victim.page("/readyz")[1])
            # The others' work carries on the epochs that it waits for.
            for count in range(200):
                client.ask(f"SET late {count}")
            await_that(lambda: victim.status()["protocol"]["next_delivery"] >=
                       cluster.replicas[0].status()["protocol"]["next_delivery"] - 64,
                       "the node has caught up")
            self.assertEqual(json.loads((data / "node.json").read_text())["state"], "used")
        # It is needed now: without another one, three are left.
        cluster.replicas[3].kill()
        self.assertEqual(client.ask("GET first"), "$1")

    def test_one_request(self):
        cluster = self.cluster()
        cluster.start()
        config = cluster.folder / "client.json"

        def run(*words, status=0):
            run = run_program("mirbft-client", "--config", config, *words)
            self.assertEqual(run.returncode, status, run.stderr)
            return run.stdout
        self.assertEqual(run("SET", "greeting", "hello there"), "+OK\n")
        self.assertEqual(run("GET", "greeting"), "$hello there\n")
        self.assertTrue(run("FLY").startswith("-"))
        changed = json.loads(config.read_text())
        config.write_text(json.dumps({**changed, "seed": "11" * 32}))
        self.assertTrue(run("GET", "greeting", status=1).startswith("! rejected: the signature"))
        for replica in cluster.replicas:
            replica.kill()
        self.assertEqual(run("--deadline", "1", "GET", "greeting", status=1),
                         "! timed out: outcome unknown\n")
        config.write_text("{}")
        run = run_program("mirbft-client", "--config", config, "GET", "a")
        self.assertEqual(run.returncode, 2)
        self.assertEqual(run.stderr.count("\n"), 1, run.stderr)

    def test_what_a_start_refuses(self):
        cluster = self.cluster()
        replica, other = cluster.replicas[:2]
        replica.start()
        await_that(lambda: replica.page("/livez"), "the port answers")
        again = run_program("mirbft-kv", "--config", replica.config)
        self.assert_refused(again, "another process uses this directory", status=1)
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = str(taken.getsockname()[1])
            run = run_program("mirbft-kv", "--config", other.config,
                              environment={"MIRBFT_KV_HTTP_PORT": port})
            self.assert_refused(run, f"http_port = 127.0.0.1:{port}: ", "in use")
            settings = json.loads(other.config.read_text())
            settings["members"][1]["port"] = int(port)
            other.config.write_text(json.dumps(settings))
            run = run_program("mirbft-kv", "--config", other.config)
            self.assertEqual((run.returncode, run.stdout), (2, ""))
            self.assertIn(port, run.stderr.splitlines()[-1])

    def test_told_to_end_while_it_recovers(self):
        cluster = self.cluster()
        cluster.start()
        client = cluster.client()
        for count in range(500):
            client.send(f"SET {count} {'x' * 1000}")
        client.ask("GET 0")
        victim = cluster.replicas[3]
        victim.kill()
        for delay in range(10):
            victim.log.write_text("")
            victim.start()
            await_that(lambda: "data in" in victim.log.read_text(), "it has begun")
            time.sleep(delay / 100)
            victim.process.terminate()
            self.assertEqual(victim.process.wait(LIMIT), 0, victim.log.read_text())
            self.assertTrue(victim.log.read_text().endswith("mirbft-kv: ended\n"))
        victim.start()
        victim.await_ready()

    def test_listening_everywhere(self):
        cluster = self.cluster()
        for replica in cluster.replicas:
            settings = json.loads(replica.config.read_text())
            replica.config.write_text(json.dumps({**settings, "listen_host": "0.0.0.0"}))
        cluster.start()
        self.assertEqual(cluster.client().ask("SET a 1"), "+OK")

    def test_a_damaged_log(self):
        cluster = self.cluster()
        cluster.start()
        self.assertEqual(cluster.client().ask("SET a 1"), "+OK")
        victim = cluster.replicas[3]
        victim.kill()
        log, = (cluster.folder / "node-3" / "wal").glob("segment-*")
        with open(log, "r+b") as file:
            file.seek(40)
            file.write(b"\xff\xff\xff\xff")
        run = run_program("mirbft-kv", "--config", victim.config)
        self.assertEqual(run.returncode, 1)
        self.assertRegex(run.stderr.splitlines()[-1], r"mirbft-kv: corrupt: .*segment-0+: at byte")
        mend = f"mirbft-kv --repair --config {victim.config}"
        self.assertTrue(run.stderr.endswith(f"; mend it by: {mend}\n"), run.stderr)
        self.assert_repaired(cluster, victim)

    def assert_repaired(self, cluster, victim):
        run = run_program("mirbft-kv", "--repair", "--config", victim.config)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        wal = cluster.folder / "node-3" / "wal"
        self.assertIn(f"{wal}: corrupt: {wal}/segment-", run.stdout)
        self.assertIn("0 sound records in 0 segments\n", run.stdout)
        self.assertIn("begins without memory", run.stdout)
        victim.start()
        victim.await_ready()
        self.assertIn("mirbft-kv: memory lost: ", victim.log.read_text())
        self.assertTrue((wal.parent / "wal.left-1").is_dir())
        run = run_program("mirbft-kv", "--repair", "--config", victim.config)
        self.assert_refused(run, "another process uses this directory", status=1)
        # Of one that is well it says so, and changes nothing.
        other = cluster.replicas[0]
        other.kill()
        before = (cluster.folder / "node-0" / "node.json").read_text()
        run = run_program("mirbft-kv", "--repair", "--config", other.config)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertIn("nothing is damaged", run.stdout)
        self.assertEqual((cluster.folder / "node-0" / "node.json").read_text(), before)

    def test_pages(self):
        cluster = self.cluster()
        first = cluster.replicas[0]
        first.start()
        await_that(lambda: first.page("/readyz") and "too few peers" in first.page("/readyz")[1],
                   "a lone replica says that it is not ready")
        unreachable = "(no connection could be made)"
        await_that(lambda: first.page("/readyz")[1].count(unreachable) == 3, "it says why")
        self.assertEqual(first.page("/readyz"), (
            503, "too few peers are connected: 0 of 3, and 2 are needed\n"
                 "absent: " + ", ".join(f"node {peer} {unreachable}" for peer in (1, 2, 3)) + "\n"))
        self.assertEqual([peer["node"] for peer in first.status()["net"]["absent"]], [1, 2, 3])
        self.assertEqual(first.page("/livez"), (200, "alive\n"))
        for replica in cluster.replicas[1:]:
            replica.start()
        for replica in cluster.replicas:
            replica.await_ready()
        self.assertEqual(cluster.client().ask("SET a 1"), "+OK")
        status = await_that(
            lambda: (now := first.status())["protocol"]["delivered_requests"] >= 1 and now,
            "the delivery shows")
        self.assertEqual((status["self"], status["state"], status["net"]["connected"]),
                         (0, "working", 3))
        self.assertEqual(first.page("/nothing")[0], 404)
        self.check_metrics(first.page("/metrics?x=1")[1])

    def check_metrics(self, text):
        """What `promtool check metrics` asks for."""
        values, kinds, helps = {}, {}, set()
        self.assertTrue(text.endswith("\n"))
        for line in text.splitlines():
            if match := re.fullmatch(r"# HELP ([a-z][a-z0-9_]*) \S.*", line):
                self.assertNotIn(match[1], helps)
                helps.add(match[1])
            elif match := re.fullmatch(r"# TYPE ([a-z][a-z0-9_]*) (counter|gauge)", line):
                self.assertIn(match[1], helps)
                kinds[match[1]] = match[2]
            else:
                match = re.fullmatch(r'([a-z][a-z0-9_]*)(\{node="0"\})? (-?\d+(\.\d+)?)', line)
                self.assertTrue(match, line)
                self.assertNotIn(match[1], values)
                self.assertEqual(match[1].endswith("_total"), kinds[match[1]] == "counter")
                self.assertFalse(match[1].endswith(("_count", "_sum", "_bucket", "_info")))
                values[match[1]] = float(match[3])
        self.assertEqual(helps, set(values))
        self.assertEqual(values["mirbft_ready"], 1)
        self.assertEqual(values["mirbft_net_connected"], 3)
        self.assertGreater(values["mirbft_protocol_delivered_requests_total"], 0)
        self.assertEqual(values["mirbft_clients_used_connections"], 1)
        self.assertGreater(values["mirbft_wal_syncs_total"], 0)
        self.assertGreater(values["mirbft_protocol_timeout_seconds"], 0)
        if promtool := shutil.which("promtool"):
            check = subprocess.run([promtool, "check", "metrics"], input=text, text=True,
                                   capture_output=True, timeout=LIMIT)
            self.assertEqual((check.returncode, check.stdout + check.stderr), (0, ""))

    def test_bad_guests_of_the_port(self):
        cluster = self.cluster()
        first = cluster.replicas[0]
        first.start()
        await_that(lambda: first.page("/livez"), "the port answers")
        port = first.settings["http_port"]

        def say(text):
            with socket.create_connection(("127.0.0.1", port), timeout=LIMIT) as guest:
                guest.sendall(text)
                answer = b""
                with contextlib.suppress(ConnectionResetError):
                    while part := guest.recv(1 << 16):
                        answer += part
                return answer.decode().split("\r\n")[0]
        self.assertEqual(say(b"POST /livez HTTP/1.1\r\nContent-Length: 0\r\n\r\n"),
                         "HTTP/1.1 405 Method Not Allowed")
        self.assertEqual(say(b"HEAD /livez HTTP/1.1\r\n\r\n"), "HTTP/1.1 200 OK")
        self.assertEqual(say(b"nonsense\r\n\r\n"), "HTTP/1.1 400 Bad Request")
        self.assertIn(say(b"GET / HTTP/1.1\r\nX: " + b"x" * 20000 + b"\r\n\r\n"),
                      ("HTTP/1.1 431 Request Header Fields Too Large", ""))
        guests = [socket.create_connection(("127.0.0.1", port)) for _ in range(200)]
        for guest in guests:
            guest.sendall(b"GET /livez HT")
        began = time.monotonic()
        self.assertEqual(first.page("/livez"), (200, "alive\n"))
        self.assertLess(time.monotonic() - began, 4)
        threads = list(pathlib.Path(f"/proc/{first.process.pid}/fd").iterdir())
        self.assertLess(len(threads), 80)
        for guest in guests:  # whoever says nothing more is sent away
            guest.settimeout(LIMIT)
            with contextlib.suppress(ConnectionResetError):
                self.assertEqual(guest.recv(1), b"")
            guest.close()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
        connection.request("GET", "/livez")
        self.assertEqual(connection.getresponse().read(), b"alive\n")
        connection.close()


class Up(Folder):
    """mirbft-testnet up: one cluster, one terminal."""

    def start(self, *arguments):
        self.assertEqual(self.init().returncode, 0)
        net = self.folder / "net"
        process = subprocess.Popen([BIN / "mirbft-testnet", "up", *arguments, net], text=True,
                                   stdout=subprocess.PIPE, start_new_session=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(lambda: process.poll() is None and os.killpg(process.pid, signal.SIGKILL))
        ready = set()
        for line in process.stdout:
            if match := re.fullmatch(r"node (\d) \| mirbft-kv: ready\n", line):
                ready.add(match[1])
            if len(ready) == 4:
                return process
        raise AssertionError("the cluster ended before it was ready")

    def replicas(self):
        found = {}
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                command = (process / "cmdline").read_text()
                ours = re.escape(str(self.folder)) + r"/net/node-(\d)\.json"
                if "mirbft-kv" in command and (match := re.search(ours, command)):
                    found[int(match[1])] = int(process.name)
        return found

    def test_interrupted(self):
        for how in (signal.SIGINT, signal.SIGTERM):
            process = self.start()
            self.assertEqual(sorted(self.replicas()), [0, 1, 2, 3])
            if how == signal.SIGINT:
                os.killpg(process.pid, how)  # as a terminal does it
            else:
                process.send_signal(how)
            said = process.stdout.read()
            self.assertEqual(process.wait(LIMIT), 0, said)
            for node in range(4):
                self.assertIn(f"node {node} | mirbft-kv: ended\n", said)
                self.assertIn(f"node {node} | has ended\n", said)
            self.assertEqual(self.replicas(), {})
            shutil.rmtree(self.folder / "net")

    def test_killed(self):
        process = self.start()
        process.kill()
        await_that(lambda: not self.replicas(), "no replica outlives its launcher")

    def test_a_replica_that_dies(self):
        process = self.start()
        os.kill(self.replicas()[2], signal.SIGKILL)
        for line in process.stdout:
            if line == "node 2 | was ended by signal 9 (Killed)\n":
                break
        else:
            self.fail("nobody has told")
        self.assertEqual(len(self.replicas()), 3)
        process.send_signal(signal.SIGTERM)
        process.stdout.read()
        self.assertEqual(process.wait(LIMIT), 1)

    def test_restart(self):
        process = self.start("--restart")
        os.kill(self.replicas()[1], signal.SIGKILL)
        awaited = ["was ended by signal 9 (Killed)", "is started again", "mirbft-kv: ready"]
        for line in process.stdout:
            if line == f"node 1 | {awaited[0]}\n":
                awaited.pop(0)
            if not awaited:
                break
        self.assertEqual(awaited, [])
        process.send_signal(signal.SIGTERM)
        process.stdout.read()
        self.assertEqual(process.wait(LIMIT), 0)


if __name__ == "__main__":
    unittest.main(verbosity=0)
