#!/usr/bin/env python3
"""The quickstart's programs as their user meets them: what they print, leave, and end with.

    check.py BIN     BIN holds mirbft-quickstart and mirbft-replica
"""
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "examples" / "quickstart" / "commands.txt"
BIN = pathlib.Path(sys.argv.pop(1) if len(sys.argv) > 1 else ROOT / "build/release/bin").resolve()
RULE = "must be SET key value, GET key, DEL key or INCR key"
LIMIT = 120  # seconds, on a machine that is busy with other things


def await_that(condition, what, limit=LIMIT):
    """Returns the first true value of `condition()`; what it waits for has no event to wait on."""
    deadline = time.monotonic() + limit
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {limit} s: {what}")
        time.sleep(0.02)
    return value


class Quickstart(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="mirbft-check-"))
        self.work = self.folder / "tmp"
        self.work.mkdir()
        self.environment = {**os.environ, "TMPDIR": str(self.work)}
        self.addCleanup(shutil.rmtree, self.folder)

    def run_program(self, name, *arguments, stdin=""):
        return subprocess.run([BIN / name, *arguments], input=stdin, capture_output=True,
                              text=True, timeout=LIMIT, env=self.environment)

    def start(self, *arguments):
        """The launcher as the leader of a group of its own, as a shell would have it."""
        process = subprocess.Popen([BIN / "mirbft-quickstart", *arguments], text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=self.environment, start_new_session=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(lambda: process.poll() is None and os.killpg(process.pid, signal.SIGKILL))
        return process

    def replicas(self):
        """Processes of this test's replicas that are not zombies, by the replica's number."""
        found = {}
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                command = (process / "cmdline").read_text()
            except OSError:
                continue
            ours = re.escape(str(self.work)) + r"/[^/]+/replica-(\d)\.json"
            if match := re.search(ours, command):
                found[int(match[1])] = int(process.name)
        return found

    def await_replicas(self):
        return await_that(lambda: len(self.replicas()) == 4 and self.replicas(), "four replicas")

    def await_progress(self, process):
        """Waits until something has been delivered everywhere."""
        for line in process.stdout:
            if re.match(r"[1-9]\d* of \d+ delivered", line):
                return
        self.fail("no progress was shown: " + process.stderr.read())

    def many_commands(self):
        path = self.folder / "many.txt"
        path.write_text("".join(f"INCR counter:{i % 100}\n" for i in range(300_000)))
        return path

    def assert_nothing_left(self):
        await_that(lambda: not self.replicas(), "no replica is left")

    def assert_refused(self, run, text, status=2):
        """One line that says what is wrong, and nothing else."""
        self.assertEqual((run.returncode, run.stdout), (status, ""), run.stderr)
        self.assertEqual(run.stderr.count("\n"), 1, run.stderr)
        self.assertIn(text, run.stderr)

    def assert_agreed(self, run, commands):
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        rows = re.findall(r"^ +(\d) +(\d+) +(\d+) +([0-9a-f]{16}) +([0-9a-f]{16}) +\d+ .*$",
                          run.stdout, re.MULTILINE)
        self.assertEqual([row[0] for row in rows], ["0", "1", "2", "3"], run.stdout)
        self.assertEqual(len({row[1:] for row in rows}), 1, run.stdout)
        self.assertEqual(rows[0][2], str(commands))
        self.assertTrue(run.stdout.endswith(
            "all 4 replicas agree; every command was delivered exactly once\n"))
        self.assertEqual(list(self.work.iterdir()), [])
        self.assert_nothing_left()


class Launcher(Quickstart):
    def test_the_shipped_commands(self):
        run = self.run_program("mirbft-quickstart", SHIPPED)
        self.assert_agreed(run, len(SHIPPED.read_text().splitlines()))

    def test_standard_input_with_remarks_and_other_line_ends(self):
        lines = "# mine\r\nSET greeting hello there \r\n\nINCR n\nGET greeting\nDEL n"
        self.assert_agreed(self.run_program("mirbft-quickstart", "-", stdin=lines), 4)

    def test_a_single_command_and_fewer_than_clients(self):
        for count in (1, 3):
            run = self.run_program("mirbft-quickstart", "-", stdin="INCR n\n" * count)
            self.assert_agreed(run, count)

    def test_event_logs(self):
        logs = self.folder / "logs"
        run = self.run_program("mirbft-quickstart", "-", "--event-logs", logs, stdin="INCR n\n" * 9)
        self.assert_agreed(run, 9)
        self.assertEqual(len([log for log in logs.iterdir() if log.stat().st_size > 0]), 4)
        run = self.run_program("mirbft-quickstart", "-", "--event-logs", logs, stdin="INCR n\n")
        self.assert_refused(run, "holds the logs of an earlier run")

    def test_a_wrong_line(self):
        for text, number in (("SET a 1\nFLY a\nGET a\n", 2), ("\n#\nSET a\n", 3), ("get a", 1)):
            wrong = text.splitlines()[number - 1]
            run = self.run_program("mirbft-quickstart", "-", stdin=text)
            self.assert_refused(run, f'standard input line {number} = "{wrong}": {RULE}')
        path = self.folder / "long.txt"
        path.write_text("GET a\nSET a " + "x" * 70_000)
        run = self.run_program("mirbft-quickstart", path)
        self.assert_refused(run, f"{path} line 2 = ")
        self.assertIn("must be no longer than 65536 bytes", run.stderr)

    def test_an_input_without_commands(self):
        for text in ("", "\n\n", "# nothing\n"):
            run = self.run_program("mirbft-quickstart", "-", stdin=text)
            self.assert_refused(
                run, f"standard input = no command: must hold one a line: {RULE[8:]}")

    def test_an_input_that_cannot_be_read(self):
        for path, reason in (("/nowhere/a.txt", "No such file or directory"),
                             (str(self.folder), "Is a directory"),
                             ("/proc/self/mem", "Input/output error")):
            run = self.run_program("mirbft-quickstart", path)
            self.assert_refused(run, f"{path} = {reason}: must be a file that this user can read")

    def test_usage(self):
        for program in ("mirbft-quickstart", "mirbft-replica"):
            run = self.run_program(program, "--version")
            self.assertRegex(run.stdout, rf"^{program} \d+\.\d+\.\d+\n$")
            self.assertEqual(run.returncode, 0)
            run = self.run_program(program, "--help")
            self.assertIn("--version", run.stdout)
            self.assertEqual((run.returncode, run.stderr), (0, ""))
            self.assert_refused(self.run_program(program), "required")
        self.assert_refused(self.run_program("mirbft-quickstart", SHIPPED, "--speed"), "--speed")
        self.assert_refused(self.run_program("mirbft-quickstart", SHIPPED, SHIPPED), str(SHIPPED))

    def test_a_bar_on_a_terminal(self):
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        with subprocess.Popen([BIN / "mirbft-quickstart", SHIPPED], stdout=theirs,
                              env=self.environment) as process:
            os.close(theirs)
            shown = b""
            try:
                while part := os.read(ours, 4096):
                    shown += part
            except OSError:
                pass  # how a terminal says that nobody writes to it any more
            self.assertEqual(process.wait(LIMIT), 0)
        self.assertRegex(shown.decode(), r"\r\[#*\.*\] \d+ of 4000")
        self.assertIn("replicas agree", shown.decode())

    def test_interrupted(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            process = self.start(self.many_commands())
            self.await_progress(process)
            self.await_replicas()
            os.killpg(process.pid, number)
            errors = process.communicate(timeout=LIMIT)[1]
            self.assertEqual((process.returncode, errors), (1, "mirbft-quickstart: interrupted\n"))
            self.assert_nothing_left()
            self.assertEqual(list(self.work.iterdir()), [])

    def test_killed(self):
        process = self.start(self.many_commands())
        self.await_replicas()
        process.kill()
        process.wait(LIMIT)
        self.assert_nothing_left()

    def test_a_replica_that_dies(self):
        process = self.start(self.many_commands())
        self.await_progress(process)
        os.kill(self.replicas()[2], signal.SIGKILL)
        errors = process.communicate(timeout=10)[1]
        self.assertEqual(process.returncode, 1)
        self.assertEqual(errors, "mirbft-quickstart: replica 2 was ended by signal 9 (Killed)\n")
        self.assert_nothing_left()

    def test_a_replica_that_hangs(self):
        process = self.start(self.many_commands())
        self.await_progress(process)
        os.kill(self.replicas()[1], signal.SIGSTOP)
        errors = process.communicate(timeout=LIMIT)[1]
        self.assertEqual(process.returncode, 1)
        self.assertEqual(errors, "mirbft-quickstart: replica 1 has said nothing for 10 s\n")
        self.assert_nothing_left()


class FalseReplicas(Quickstart):
    """What the launcher makes of replicas that are none: scripts in their place."""

    def run_with(self, script, commands=1):
        shutil.copy(BIN / "mirbft-quickstart", self.folder)
        replica = self.folder / "mirbft-replica"
        replica.write_text("#!/usr/bin/env bash\n" + script)
        replica.chmod(0o755)
        return subprocess.run([self.folder / "mirbft-quickstart", "-"], capture_output=True,
                              input="INCR n\n" * commands, text=True, timeout=LIMIT,
                              env=self.environment)

    def run_with_reports(self, last, of_replica_2="", commands=1):
        """Replicas that claim to have delivered all; their last report is `last`, 2's has more."""
        return self.run_with(f"""
            echo '{{"stage": "ready"}}'
            read -r _
            echo '{{"stage": "complete", "delivered": 1}}'
            read -r _
            [[ $2 == */replica-2.json ]] && more='{of_replica_2}'
            echo '{{"stage": "ended", {last}'"$more"'}}'
        """, commands)

    def assert_disagreed(self, run, text):
        self.assertEqual((run.returncode, run.stderr), (1, f"mirbft-quickstart: {text}\n"))
        self.assertTrue(run.stdout.endswith("do NOT agree, or not on what was to be delivered\n"))

    def test_agreement(self):
        run = self.run_with_reports('"delivered": 1, "last_sn": 3')
        self.assertEqual((run.returncode, run.stderr), (0, ""))

    def test_disagreement(self):
        one = '"delivered": 1'
        self.assert_disagreed(self.run_with_reports(one, ', "last_sn": 4'),
                              "replica 2 has another order than replica 0")
        self.assert_disagreed(self.run_with_reports(one, f', "log": "{"ab" * 32}"'),
                              "replica 2 has another order than replica 0")
        self.assert_disagreed(self.run_with_reports(one, f', "store": "{"ab" * 32}"'),
                              "replica 2 has another store than replica 0")
        self.assert_disagreed(self.run_with_reports(one, ', "repeated": 1'),
                              "replica 2 delivered 1 requests again")

    def test_too_few(self):
        run = self.run_with_reports('"delivered": 1', commands=2)
        self.assertEqual(run.returncode, 1)
        self.assertEqual(run.stderr.count(" delivered 1 of 2 requests\n"), 4)

    def test_nonsense(self):
        run = self.run_with("echo hello; read -r _")
        self.assert_ended(
            run, "replica 3 is not understood: the report = line 1: must be a JSON object")

    def test_an_early_end(self):
        self.assert_ended(self.run_with("exit 0"), "replica 3 ended before its time")
        self.assert_ended(self.run_with("exit 7"), "replica 3 ended with status 7")
        self.assert_ended(self.run_with("""echo '{"stage": "ready"}'; [[ $2 != *-1.json ]]"""),
                          "ended before its time")

    def test_none(self):
        shutil.copy(BIN / "mirbft-quickstart", self.folder)
        run = subprocess.run([self.folder / "mirbft-quickstart", SHIPPED], capture_output=True,
                             text=True, timeout=LIMIT, env=self.environment)
        self.assertEqual((run.returncode, run.stderr), (
            1, f"{self.folder}/mirbft-replica: No such file or directory\n"
               "mirbft-quickstart: replica 3 ended with status 127\n"))

    def test_no_progress(self):
        run = self.run_with("""
            while true; do
              echo '{"stage": "ready", "delivered": 5}'
              read -r -t 0.5 _ && echo '{"stage": "working", "delivered": 5}'
              (($? == 1)) && exit
            done
        """)
        self.assert_ended(run, "no progress for 20 s: replica 3 has delivered 5, replica 2 has")

    def assert_ended(self, run, text):
        self.assertEqual(run.returncode, 1)
        self.assertIn(text, run.stderr)
        self.assertEqual(run.stderr.count("\n"), 1)


class Replica(Quickstart):
    """What a replica makes of its configuration: the launcher's, changed in one place."""

    @classmethod
    def setUpClass(cls):
        """Takes the configuration of replica 0 from a run, which is then ended."""
        with tempfile.TemporaryDirectory() as folder:
            with subprocess.Popen([BIN / "mirbft-quickstart", SHIPPED], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL,
                                  env={**os.environ, "TMPDIR": folder}) as process:
                files = pathlib.Path(folder)
                path = await_that(lambda: next(files.glob("*/replica-0.json"), None), "a run")
                text = await_that(lambda: (text := path.read_text()).endswith("}\n") and text, "it")
                process.terminate()
                process.wait(LIMIT)
        cls.config = json.loads(text)

    def refuse(self, change, text):
        config = json.loads(json.dumps(self.config))
        change(config)
        path = self.folder / "replica.json"
        path.write_text(json.dumps(config, indent=2))
        run = self.run_program("mirbft-replica", "--config", path, "--input", SHIPPED)
        self.assert_refused(run, f"mirbft-replica: {path}: {text}")

    def test_the_launchers_own_is_readable_and_accepted(self):
        path = self.folder / "replica.json"
        path.write_text(json.dumps(self.config))
        run = self.run_program("mirbft-replica", "--config", path, "--input", SHIPPED)
        self.assertEqual([json.loads(line)["stage"] for line in run.stdout.splitlines()],
                         ["ready", "ended"])
        self.assertEqual((run.returncode, run.stderr), (1, ""))

    def test_an_unknown_field(self):
        self.refuse(lambda config: config.update(epoch_lenght=4),
                    "epoch_lenght = (unknown field): correct its name or remove it; known here: ")
        self.refuse(lambda config: config["members"][2].update(prt=4),
                    "members[2].prt = (unknown field): correct its name or remove it; known here: ")

    def test_members(self):
        self.refuse(lambda config: config.update(members=[]),
                    "members = []: a cluster has at least one member: list all of them")
        self.refuse(lambda config: config["members"][3].update(id=1),
                    "members = 1: is listed twice: ids must be distinct")
        self.refuse(lambda config: config.update(self=7),
                    "self = 7: is no member: add it to `members`")

    def test_clients(self):
        self.refuse(lambda config: config["clients"][3].update(id=1),
                    "clients = 1: is listed twice: ids must be distinct")
        self.refuse(lambda config: config["own_clients"][0].update(id=99),
                    "own_clients = 99: is no client: add it to `clients`")
        self.refuse(lambda config: config.update(outstanding=0),
                    "outstanding = 0: must be at least 1")

    def test_batches(self):
        self.refuse(lambda config: config.update(max_batch_requests=0),
                    "max_batch_requests = 0: must be at least 1")
        self.refuse(lambda config: config.update(max_batch_bytes=0),
                    "max_batch_bytes = 0: must be at least 1")
        self.refuse(lambda config: config.update(max_batch_requests="many"),
                    'max_batch_requests = "many": must be a whole number in range')

    def test_keys(self):
        rule = "must be 32 bytes, two hexadecimal digits each"
        self.refuse(lambda config: config["members"][1].update(public_key="ab12"),
                    f'members[1].public_key = "ab12": {rule}')
        self.refuse(lambda config: config.update(seed=""), f'seed = "": {rule}')
        self.refuse(lambda config: config["clients"][1].update(public_key="00" * 32),
                    f"client_keys[1] = {'00' * 32}: must be an Ed25519 public key")

    def test_certificates(self):
        self.refuse(lambda config: config["members"][0].update(certificate="00" * 32),
                    "certificates of node 0 = " + "00" * 32)
        self.refuse(lambda config: config["members"][2].update(
                        certificate=config["members"][1]["certificate"]),
                    "certificates of node 2 = ")
        self.refuse(lambda config: config.update(certificate=""), "certificate = ")
        self.refuse(lambda config: config.update(key=""), "key = ")

    def test_data(self):
        (self.folder / "file").write_text("no directory")
        path = self.folder / "replica.json"
        path.write_text(json.dumps({**self.config, "data": "file"}))
        run = self.run_program("mirbft-replica", "--config", path, "--input", SHIPPED)
        self.assert_refused(run, f"cannot make directory {self.folder}/file/")

    def test_ports(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.refuse(lambda config: config["members"][0].update(port=port),
                        f"listen_port = {port}: is in use")
        self.refuse(lambda config: config["members"][0].update(port=70000),
                    "members[0].port = 70000: must be a whole number of at most 16 bits")
        self.refuse(lambda config: config["members"][0].update(port=0),
                    "port of member 0 = 0: must be where the replica listens")

    def test_files(self):
        path = self.folder / "replica.json"
        run = self.run_program("mirbft-replica", "--config", path, "--input", SHIPPED)
        self.assert_refused(run, f"{path} = No such file or directory")
        path.write_text('{\n"self": 0,\n"cluster" 7\n}')
        run = self.run_program("mirbft-replica", "--config", path, "--input", SHIPPED)
        self.assert_refused(run, f"{path} = line 3: must be a JSON object")
        path.write_text(json.dumps(self.config))
        run = self.run_program("mirbft-replica", "--config", path, "--input", "/nowhere/a.txt")
        self.assert_refused(run, "/nowhere/a.txt = No such file or directory")
        log = self.folder / "event.log"
        log.write_text("what was here before")
        run = self.run_program("mirbft-replica", "--config", path, "--input", SHIPPED,
                               "--event-log", log)
        self.assert_refused(run, str(log))
        self.assertEqual(log.read_text(), "what was here before")


if __name__ == "__main__":
    unittest.main()
