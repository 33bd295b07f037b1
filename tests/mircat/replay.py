#!/usr/bin/env python3
"""mircat replay, step and diff over logs that programs have written.

    replay.py BIN TESTS     the directories of mircat, and of record_shop and own_mircat
"""
import itertools
import json
import os
import pathlib
import pty
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "kv"))
from cluster import Cluster

BIN, TESTS = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
MIRCAT, OWN = BIN / "mircat", TESTS / "own_mircat"
PATIENCE = 120
MODULES = ("protocol", "tracker", "app", "hasher", "crypto")
SEED = 11  # Under it every node crashes, and starts again.


def run(program, *words, status=0, **more):
    """What a program wrote, after its status is seen to be right."""
    done = subprocess.run([program, *map(str, words)], capture_output=True, text=True,
                          timeout=PATIENCE, **more)
    if done.returncode != status:
        raise AssertionError(f"{program} {words} ended with {done.returncode}, not {status}:\n"
                             f"{done.stdout[-1000:]}\n{done.stderr[-500:]}")
    return done.stdout if status != 2 else done.stderr


def reports(text):
    return [json.loads(line) for line in text.splitlines()]


def fed(report, module):
    found, = (one for one in report["modules"] if one["module"] == module)
    return found["fed"] if found["skipped"] is None else None


class Simulated(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory(prefix="mircat-")
        cls.runs = [pathlib.Path(cls.directory.name) / name for name in ("one", "again")]
        for logs in cls.runs:
            logs.mkdir()
            run(BIN / "mirbft-sim", "--seeds", SEED, "--faults", "all", "--event-logs", logs)

    @classmethod
    def tearDownClass(cls):
        cls.directory.cleanup()

    def test_all_lives_of_all_nodes_replay(self):
        lives = reports(run(MIRCAT, "replay", self.runs[0], "--json"))
        self.assertGreater(len(lives), 4)
        for life in lives:
            self.assertIsNone(life["difference"], life)
            for module in ("protocol", "tracker", "app", "hasher"):
                self.assertIsNotNone(fed(life, module), life)
        self.assertGreater(sum(fed(life, "app") for life in lives), 40)

    def test_nodes_do_not_part(self):
        first = sorted(self.runs[0].glob("node-*-0.log"))
        self.assertEqual(len(first), 4)
        compared = 0
        for left, right in itertools.combinations(first, 2):
            report = json.loads(run(MIRCAT, "diff", left, right, "--json"))
            self.assertIsNone(report["parting"])
            compared += sum(kind["facts"] for kind in report["common"])
        self.assertGreater(compared, 40)

    def test_a_seed_makes_the_same_events_again(self):
        for log in self.runs[0].iterdir():
            text = run(MIRCAT, "diff", "--events", log, self.runs[1] / log.name)
            self.assertRegex(text, r"^\d+ events are the same\n$")

    def test_another_configuration_is_found_out(self):
        log = self.runs[0] / "node-0-0.log"
        config = pathlib.Path(self.directory.name) / "iss.json"
        config.write_text('{"self": 0, "members": [0, 1, 2, 3], "epoch_length": 32}')
        words = "replay", log, "--module", "protocol", "--config", f"protocol={config}"
        self.assertIn("the protocol parts from the log here", run(MIRCAT, *words, status=1))
        config.write_text('{"self": 9}')
        self.assertIn("members", run(MIRCAT, *words, status=2))


class Processes(unittest.TestCase):
    """What replicas of mirbft-kv record, with signatures, TLS and disks; one of them lives twice,
    and is killed twice."""

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory(prefix="mircat-")
        cls.logs = pathlib.Path(cls.directory.name) / "net" / "events"
        cluster = Cluster(BIN, cls.directory.name, clients=2, settings={
            "epoch_length": 64, "base_timeout_ms": 500,
            "event_log": {"directory": cls.logs.name, "rotate_bytes": 1 << 20}})
        settings = cluster.replicas[0].settings
        settings["event_log"]["compression"] = "zstd"
        cluster.replicas[0].config.write_text(json.dumps(settings))
        try:
            cluster.start()
            clients = [cluster.client(), cluster.client()]
            cls.write(clients, 200)
            cluster.await_agreement()
            for client in clients:
                client.send("SET more " + 4000 * "x")
            cluster.replicas[3].kill()
            cls.write(clients, 100)
            cluster.replicas[3].start()
            cluster.replicas[3].await_ready()
            cls.write(clients, 100)
            cluster.await_agreement()
            cluster.replicas[3].kill()
            for replica in cluster.replicas[:3]:
                assert replica.kill(signal.SIGTERM) == 0
        except BaseException:
            cluster.tell_logs()
            raise
        finally:
            cluster.close()

    @staticmethod
    def write(clients, count):
        for number in range(count):
            for client in clients:
                client.send(f"SET key{number % 7} {client.number}-{number}")
        for client in clients:
            client.await_all()

    @classmethod
    def tearDownClass(cls):
        cls.directory.cleanup()

    def test_they_are_sound(self):
        self.assertGreater(len(list(self.logs.glob("node-1-0001.*"))), 1)
        lines = run(MIRCAT, "verify", self.logs).splitlines()
        names = [f"node-{node}-0001" for node in range(4)] + ["node-3-0002"]
        self.assertEqual([line.split()[:2] for line in lines],
                         [["sound", f"{self.logs}/{name}:"] for name in names])

    def test_all_modules_replay(self):
        for report in reports(run(MIRCAT, "replay", self.logs, "--json")):
            self.assertIsNone(report["difference"])
            for module in MODULES:
                self.assertGreater(fed(report, module), 0, (report["log"], module))

    def test_each_module_replays_alone(self):
        for module in MODULES:
            text = run(MIRCAT, "replay", self.logs, "--module", module)
            self.assertEqual(text.count(": same\n"), 5, text)

    def test_without_the_first_file_the_hasher_replays(self):
        with tempfile.TemporaryDirectory(prefix="mircat-") as rest:
            files = sorted(self.logs.glob("node-1-0001.*"))
            for file in files[1:]:
                shutil.copy(file, rest)
            done = subprocess.run([MIRCAT, "replay", rest, "--json"], capture_output=True,
                                  text=True, timeout=PATIENCE)
            self.assertEqual(done.returncode, 2)
            self.assertRegex(done.stderr,
                             r"\Amircat: log = .* are missing, .*--module hasher.*\n\Z")
            report, = reports(done.stdout)
            self.assertEqual([fed(report, module) is None for module in MODULES],
                             [True, True, True, False, True])
            report, = reports(run(MIRCAT, "replay", rest, "--json", "--module", "hasher"))
            self.assertIsNone(report["difference"])
            hasher, = report["modules"]
            self.assertGreater(hasher["compared"], 0)
            self.assertEqual(hasher["fed"], hasher["compared"] + hasher["pending"])
            self.assertIn("protocol", run(MIRCAT, "replay", rest, "--module", "protocol", status=2))

    def test_nodes_do_not_part(self):
        for node in (1, 2, 3):
            text = run(MIRCAT, "diff", self.logs / "node-0-0001", self.logs / f"node-{node}-0001",
                       "--json")
            report = json.loads(text)
            self.assertIsNone(report["parting"])
            self.assertGreater(min(kind["facts"] for kind in report["common"][:2]), 10)
        # The other life: it begins with what its own disk says, and learns the rest.
        text = run(MIRCAT, "diff", self.logs / "node-0-0001", self.logs / "node-3-0002")
        self.assertRegex(text, r"decisions: [1-9]\d* the same")


class Shop(unittest.TestCase):
    """Its second replica's App hangs on the time zone of the machine."""

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory(prefix="mircat-")
        run(TESTS / "record_shop", cls.directory.name)
        cls.good, cls.bad = (pathlib.Path(cls.directory.name) / f"node-{i}.log" for i in (0, 1))

    @classmethod
    def tearDownClass(cls):
        cls.directory.cleanup()

    def test_the_wrong_app_is_found_out(self):
        self.assertIn("app ", run(OWN, "replay", self.good))
        text = run(OWN, "replay", self.bad, status=1)
        self.assertIn("the app parts from the log here", text)
        self.assertIn('modified: replies[0].result: "+OK on day 0" -> "+OK on day 1"', text)
        self.assertNotIn("DIFFERS", run(OWN, "replay", self.bad, "--module", "protocol,tracker"))

    def test_diff_finds_where_they_part(self):
        text = run(MIRCAT, "diff", self.good, self.bad, status=1)
        self.assertIn("they part at sequence number 24: results differ", text)
        self.assertIn('"+OK on day 1" -> "+OK on day 0"', text)
        self.assertRegex(text, r"  = +\d+ +\d+  app Apply sn=24 ")

    def test_step_breaks_there(self):
        text = run(OWN, "step", self.bad, "--module", "app", "--break", "type=Apply sn=24",
                   input="continue\nstep\nstep\n", status=1)
        self.assertIn("emits tracker Applied { sn: 24 ", text)
        self.assertIn("the app parts from the log here", text)
        self.assertTrue(text.endswith("the replay is over\n"), text)

    def test_a_reader_that_goes_ends_it_quietly(self):
        command = f"yes step | {OWN} step {self.good} | head -2; echo ${{PIPESTATUS[1]}}"
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True,
                              timeout=PATIENCE)
        self.assertEqual(done.stdout.splitlines()[-1], "0")
        self.assertEqual(done.stderr, "")

    def test_step_on_a_terminal_goes_on_after_a_wrong_word(self):
        child, terminal = pty.fork()
        if child == 0:
            os.environ["NO_COLOR"] = "1"
            os.execv(OWN, ["own_mircat", "step", str(self.good)])
        shown = b""
        answers = [b"jump\n", b"step\n", b"\n", b"quit\n"]
        try:
            while part := os.read(terminal, 65536):
                shown += part
                if shown.endswith(b"(mircat) ") and answers:
                    os.write(terminal, answers.pop(0))
        except OSError:  # The end of a terminal is an error.
            pass
        os.close(terminal)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)
        text = shown.decode()
        self.assertIn("say step [N], continue, break FILTER", text)
        self.assertIn("next: 0 -> 1", text)
        self.assertIn("next: 1 -> 2", text)

    def test_what_cannot_be_is_refused_in_one_line(self):
        for words in (["replay", self.good, "--module", "store"], ["replay", "/dev/null"],
                      ["replay", self.good, "--config", "app=/nowhere"], ["diff", self.good],
                      ["diff", self.good, "/nowhere"], ["step", self.directory.name],
                      ["step", self.good, "--module", "all"],
                      ["step", self.good, "--break", "type=Nobody"]):
            self.assertRegex(run(OWN, *words, status=2), r"\Amircat: [^\n]+\n\Z")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
