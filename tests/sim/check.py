#!/usr/bin/env python3
"""mirbft-sim as an operator meets it: scenario files, failures and what is left of them, errors.

    check.py BIN     BIN holds mirbft-sim
"""
import json
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCENARIOS = ROOT / "tests" / "sim" / "scenarios"
BIN = pathlib.Path(sys.argv.pop(1) if len(sys.argv) > 1 else ROOT / "build/release/bin").resolve()
LIMIT = 300  # seconds, on a machine that is busy with other things

# Two of four stay down: no protocol bears that.
TOO_MANY = """\
seed 7
clients 3 requests 2000
at 200ms crash 2 after 3 for 500ms
at 300ms pause 0 for 100ms
for Commit from 2 to 0,1 drop
heal 1s without 0,1
settle 5s
"""


class Simulator(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="mirbft-check-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def run_it(self, *arguments, stdin=""):
        return subprocess.run([BIN / "mirbft-sim", *arguments], input=stdin, capture_output=True,
                              text=True, timeout=LIMIT, cwd=self.folder)

    def report_of(self, *arguments, stdin=""):
        return json.loads(self.run_it(*arguments, "--json", stdin=stdin).stdout)

    def test_the_scenarios_end_well(self):
        files = sorted(SCENARIOS.glob("*.scenario"))
        self.assertGreater(len(files), 9)
        for path in files:
            with self.subTest(path.name):
                done = self.run_it("--scenario", path)
                self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)

    def test_a_seed_is_the_scenario_that_it_draws(self):
        for seed in ("1", "2", "3", "44"):
            drawn = self.run_it("--seeds", seed, "--adversary", "all", "--print")
            self.assertEqual((drawn.returncode, drawn.stderr), (0, ""))
            by_seed = self.report_of("--seeds", seed, "--adversary", "all")
            by_file = self.report_of("--scenario", "-", stdin=drawn.stdout)
            self.assertEqual(by_seed["fingerprint"], by_file["fingerprint"])

    def test_the_sum_does_not_depend_on_the_jobs(self):
        reports = [self.report_of("--seeds", "1..40", "--jobs", jobs) for jobs in ("1", "2", "5")]
        self.assertEqual(len({report["fingerprint"] for report in reports}), 1)
        self.assertEqual({report["seeds"] for report in reports}, {40})

    def test_a_failure_leaves_a_small_scenario_that_fails_too(self):
        (self.folder / "too_many.scenario").write_text(TOO_MANY)
        done = self.run_it("--scenario", "too_many.scenario", "--out", "left")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"\nseed 7, node \d, at \d+ ms: liveness: request \d+ of "
                                      r"client \d has no answer within 5s")
        commands = [line.split(": ", 1)[1] for line in done.stdout.splitlines()
                    if line.startswith("  again: ")]
        self.assertEqual(commands, ["mirbft-sim --scenario too_many.scenario",
                                    "mirbft-sim --scenario left/too_many/smallest.scenario"])
        left = self.folder / "left" / "too_many"
        self.assertEqual({path.name for path in left.iterdir()},
                         {"drawn.scenario", "smallest.scenario", "findings.txt", "states.json",
                          *(f"node-{node}-0.log" for node in range(4))})
        smallest = (left / "smallest.scenario").read_text()
        self.assertIn(smallest, done.stdout)
        self.assertRegex(smallest, r"^seed 7\nnodes 4\nclients 1 requests 1\nheal \S+ without "
                                   r"0,1\nsettle 5s\n$")
        self.assertIn(": liveness: ", (left / "findings.txt").read_text())
        for line in (left / "states.json").read_text().splitlines():
            self.assertEqual(json.loads(line)["state"], "working")
        again = self.report_of(*shlex.split(commands[1])[1:])
        self.assertEqual(again["failures"][0]["findings"][0]["rule"], "liveness")

    def test_a_folder_that_cannot_be_written_hides_no_failure(self):
        (self.folder / "taken").write_text("")
        done = self.run_it("--scenario", "-", "--out", "taken", "--shrink", "0", stdin=TOO_MANY)
        self.assertEqual(done.returncode, 1)
        self.assertIn(": liveness: ", done.stdout)
        self.assertIn("taken", done.stdout)

    def test_a_line_that_nothing_meets_is_an_error(self):
        done = self.run_it("--scenario", "-", stdin="seed 1\nfor NewView view 99 drop\n")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, "error: (standard input): no message met this line: "
                                      "for NewView view 99 drop\n")

    def test_small_clusters_suffer_what_they_can(self):
        for nodes in ("1", "2", "3"):
            with self.subTest(nodes):
                done = self.run_it("--nodes", nodes, "--seeds", "1..120", "--faults", "all")
                self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_wrong_input_is_one_line(self):
        (self.folder / "bad.scenario").write_text("seed 1\nat 1s crush 2\n")
        for arguments, line in [
            (["--scenario", "bad.scenario"],
             'bad.scenario:2 = "crush": is no fault that strikes at a moment: use one of clog,'),
            (["--scenario", "missing"],
             "--scenario = missing: must be a file that this user can read, or -"),
            (["--scenario", "."], "--scenario = .: must be a file that this user can read, or -"),
            (["--scenario", "bad.scenario", "--seeds", "7"], "--scenario = with --seeds: "),
            (["--figures", "--seeds", "7"], "--figures = with --seeds: "),
            (["--seeds", "7..3"], '--seeds = "7..3": must not end before it begins'),
            (["--seeds", "1..2", "--print"], "--print = of many seeds: needs --seeds with one"),
            (["--nodes", "65"], "command line = --nodes: "),
            (["--nonsense"], "command line = "),
            (["--jobs"], "command line = --jobs"),
            (["--nodes", "3", "--faults", "wipe"], "--faults = wipe: cannot strike 3 nodes: "),
            (["--faults", "rain"], 'faults = "rain": must be all, none or a list of loss,'),
        ]:
            with self.subTest(arguments):
                done = self.run_it(*arguments)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertTrue(done.stderr.startswith("error: " + line), done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
