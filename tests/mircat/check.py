#!/usr/bin/env python3
"""mircat as its user meets it: every command, over logs sound, growing, torn, damaged and none.

    check.py BIN TESTS      the directories of mircat, and of record_shop and own_mircat
"""
import contextlib
import hashlib
import json
import os
import pathlib
import pty
import random
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

BIN, TESTS = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
PAGE = pathlib.Path(__file__).resolve().parents[2] / "include/mirbft/mircat/README.md"
MIRCAT = BIN / "mircat"
PATIENCE = 60
EVENTS = 625  # of each node of the shop


def run(*words, program=MIRCAT, status=0, **more):
    """What a command wrote, after its status is seen to be right."""
    done = subprocess.run([program, *map(str, words)], capture_output=True, text=True,
                          timeout=PATIENCE, **more)
    if done.returncode != status:
        raise AssertionError(f"mircat {words} ended with {done.returncode}, not {status}:\n"
                             f"{done.stdout[-500:]}\n{done.stderr[-500:]}")
    return done


def lines(*words, **more):
    return run(*words, **more).stdout.splitlines()


def on_terminal(*words, answers=(), **environment):
    """All that a command shows on a terminal, whose prompts are answered, and its status."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update({"TERM": "xterm"} | environment)
        os.execv(MIRCAT, ["mircat", *map(str, words)])
    shown = b""
    answers = list(answers)
    with contextlib.suppress(OSError):  # The end of a terminal is an error.
        while part := os.read(terminal, 65536):
            shown += part
            if shown.endswith(b"> ") and answers:
                os.write(terminal, answers.pop(0).encode() + b"\n")
    os.close(terminal)
    return shown.decode().replace("\r\n", "\n"), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class Case(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="mircat-"))
        self.addCleanup(shutil.rmtree, self.directory)

    def refused(self, *words, **more):
        """The one line that says why not."""
        done = run(*words, status=2, **more)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, r"\Amircat: [^\n]+\n\Z")
        return done.stderr

    def copy_of(self, log, name="copy.log"):
        return pathlib.Path(shutil.copy(log, self.directory / name))


class Reading(Case):
    def test_ls_tells_whose_the_logs_are(self):
        rows = lines("ls", SHOP)
        self.assertEqual(rows[0].split(), ["log", "node", "cluster", "events", "begin", "span",
                                           "size", "torn"])
        self.assertEqual([row.split()[1:4] for row in rows[1:]],
                         [["0", "shop", str(EVENTS)], ["1", "shop", str(EVENTS)]])
        self.assertEqual(rows[1:], lines("ls", *LOGS)[1:])

    def test_stat_counts_all_events_once(self):
        text = run("stat", SHOP).stdout
        self.assertIn(f"{2 * EVENTS} events", text)
        self.assertIn("sequence numbers 0..47", text)
        types, modules = text.split("\n\n")[1:3]
        for table in (types, modules):
            self.assertEqual(sum(int(row.split()[1]) for row in table.splitlines()[1:]),
                             2 * EVENTS)
        self.assertRegex(types, r"Deliver +96 .* 0\.\.47\n")
        self.assertIn("3 events of", run("stat", LOGS[0], "-f", "type=Deliver sn=4..6").stdout)

    def test_stat_as_json_is_what_the_tables_show(self):
        for words in ([SHOP], [*LOGS, "-f", "sn=5..9"]):
            text = run("stat", *words).stdout
            report, = map(json.loads, lines("stat", *words, "--json"))
            self.assertTrue(text.startswith(f"{report['events']} events of "))
            self.assertIn(f"in {report['logs']} logs, ", text)
            self.assertIn(f"\nsequence numbers {report['first_sn']}..{report['last_sn']}\n", text)
            self.assertLess(int(report["begin"]), int(report["end"]))
            for rows, table in zip((report["types"], report["modules"]), text.split("\n\n")[1:3]):
                shown = [line.split() for line in table.splitlines()[1:]]
                self.assertEqual([[row["name"], str(row["events"]),
                                   f"{100 * row['events_share']:.1f}", "%",
                                   f"{row['events_per_second']:.1f}"] for row in rows],
                                 [words[:5] for words in shown])
                self.assertEqual(sum(row["events"] for row in rows), report["events"])
                self.assertEqual(sum(row["bytes"] for row in rows), report["bytes"])
                self.assertAlmostEqual(sum(row["bytes_share"] for row in rows), 1)
            extents = [line.split()[-1] for line in text.split("\n\n")[1].splitlines()[1:]]
            self.assertEqual(extents, ["-" if row["first_sn"] is None else
                                       f"{row['first_sn']}..{row['last_sn']}"
                                       for row in report["types"]])
        empty, = map(json.loads, lines("stat", SHOP, "-f", "sn=4000", "--json"))
        self.assertEqual((empty["events"], empty["begin"], empty["types"], empty["modules"]),
                         (0, None, [], []))

    def test_cat_shows_every_event_by_time(self):
        shown = lines("cat", *LOGS)
        self.assertEqual(len(shown), 2 * EVENTS)
        times = [line.split()[1] for line in shown]
        self.assertEqual(times, sorted(times))
        self.assertEqual([line for line in shown if " node 1 " in line], lines("cat", LOGS[1]))

    def test_cat_filters_and_limits(self):
        shown = lines("cat", SHOP, "--filter", "type=Deliver sn=5..9", "-f", "node=1")
        self.assertEqual([int(re.search(r"sn: (\d+)", line)[1]) for line in shown],
                         [5, 6, 7, 8, 9])
        shown = lines("cat", LOGS[0], "--from", 100, "--limit", 3)
        self.assertEqual([line.split()[0] for line in shown], ["100", "101", "102"])
        self.assertEqual(lines("cat", LOGS[0], "--limit", 0), [])

    def test_cat_as_json_is_json(self):
        plain = lines("cat", LOGS[0])
        objects = [json.loads(line) for line in lines("cat", LOGS[0], "--json")]
        self.assertEqual([event["index"] for event in objects], list(range(EVENTS)))
        for line, event in zip(plain, objects):
            self.assertEqual(line.split()[3:6],
                             [str(event["node"]), event["slot"], event["type"]])
        deliver = next(event for event in objects if event["type"] == "Deliver")
        self.assertEqual(deliver["event"]["sn"], "0")

    def test_grep_is_like_grep(self):
        log = LOGS[0]
        plain = run("cat", log).stdout
        for words in (["sn: 1[0-9] "], ["-v", "order"], ["-c", "order"], ["-i", "TYPE|APPLIED"],
                      ["-A", "2", "-B", "1", "sn: 2[05] "], ["-A", "1", "Metered"],
                      ["-B", "3", "Init|sn: 30 "]):
            wanted = subprocess.run(["grep", "-E", *words], input=plain, text=True,
                                    capture_output=True, check=True).stdout
            self.assertEqual(run("grep", *words, log).stdout, wanted, words)
        self.assertEqual(run("grep", "no such text", log, status=1).stdout, "")
        self.assertEqual(run("grep", "-c", "no such text", log, status=1).stdout, "0\n")
        self.assertIn("write a regular expression", self.refused("grep", "(", log))

    def test_help_has_examples(self):
        commands = re.findall(r"^  (\w+) ", run("--help").stdout.split("Subcommands:")[1], re.M)
        self.assertLessEqual({"ls", "stat", "cat", "grep", "select", "verify", "wal"},
                             set(commands))
        wal = [f"wal {word}" for word in ("ls", "verify", "repair")]
        for command in [command for command in commands if command != "wal"] + wal:
            self.assertIn("Examples:\n  ", run(*command.split(), "--help").stdout)

    def test_a_users_own_mircat_knows_the_users_events(self):
        own = TESTS / "own_mircat"
        for program in (own, MIRCAT):
            shown = lines("cat", LOGS[0], "-f", "type=Metered client=2", program=program)
            self.assertEqual(len(shown), 16)
            self.assertRegex(shown[0], r" app Metered client: 2 bytes: \d+$")


class Refusing(Case):
    def test_what_is_no_log(self):
        (self.directory / "empty.log").touch()
        (self.directory / "notes.txt").write_text("It was a dark and stormy night\n" * 99)
        (self.directory / "zeros").write_bytes(bytes(100_000))
        (self.directory / "noise").write_bytes(random.Random(1).randbytes(100_000))
        wrong = {"empty.log": "the file is empty", "notes.txt": "this is no event log",
                 "zeros": "this is no event log", "noise": "this is no event log",
                 "missing.log": "No such file", ".": "no file in this directory"}
        for name, why in wrong.items():
            path = self.directory / name
            for command in ("ls", "stat", "cat", "verify", "select"):
                reason = self.refused(command, path)
                self.assertIn(why, reason)
                self.assertIn(str(path), reason)
        self.assertIn("no regular file", self.refused("cat", "/dev/null"))

    def test_wrong_words(self):
        for words in ([], ["dog"], ["cat"], ["cat", "--colour", LOGS[0]], ["wal"], ["wal", "ls"],
                      ["cat", LOGS[0], "--limit", "many"], ["cat", LOGS[0], "--from", "-1"],
                      ["grep"], ["grep", "x"]):
            self.refused(*words)

    def test_wrong_filters(self):
        for text, why in {"Deliver": "write FIELD=VALUE", "sn=9..5": "write the lower end first",
                          "type=Delivr": "no event of these logs", "snn=1": "has such a field",
                          "node=x": "write a number", "slot=kitchen": "tracker, hasher",
                          "time=noon": "write a time", 'data="x': "not closed"}.items():
            reason = self.refused("cat", LOGS[0], "--filter", text)
            self.assertIn(why, reason)
            self.assertIn(f"filter = {text}", reason)


class Damaged(Case):
    def test_a_torn_end_is_told_and_no_damage(self):
        whole = LOGS[0].read_bytes()
        copy = self.copy_of(LOGS[0])
        copy.write_bytes(whole[:-10])
        self.assertRegex(run("verify", copy).stdout, r"sound .*; the last \d+ bytes are of a list")
        self.assertNotEqual(lines("ls", copy)[1].split()[-1], "-")
        self.assertEqual(lines("ls", LOGS[0])[1].split()[-1], "-")
        self.assertEqual(lines("cat", copy), lines("cat", LOGS[0])[:-1])

    def test_any_length_is_read_as_far_as_it_goes(self):
        whole = LOGS[0].read_bytes()
        all_lines = lines("cat", LOGS[0])
        copy = self.copy_of(LOGS[0])
        chance = random.Random(2)
        seen = set()
        for length in [chance.randrange(1, len(whole)) for _ in range(40)] + [1, 5, 12, 20]:
            copy.write_bytes(whole[:length])
            done = subprocess.run([MIRCAT, "cat", copy], capture_output=True, text=True,
                                  timeout=PATIENCE, check=False)
            self.assertIn(done.returncode, (0, 2))
            shown = done.stdout.splitlines()
            self.assertEqual(shown, all_lines[:len(shown)])
            seen.add(done.returncode)
        self.assertEqual(seen, {0, 2})

    def test_any_damage_is_found(self):
        whole = LOGS[0].read_bytes()
        all_lines = lines("cat", LOGS[0])
        copy = self.copy_of(LOGS[0])
        chance = random.Random(3)
        for _ in range(60):
            damaged = bytearray(whole)
            at = chance.randrange(len(whole))
            damaged[at] ^= 1 << chance.randrange(8)
            copy.write_bytes(damaged)
            done = subprocess.run([MIRCAT, "verify", copy], capture_output=True, text=True,
                                  timeout=PATIENCE, check=False)
            self.assertIn(done.returncode, (1, 2), at)
            shown = subprocess.run([MIRCAT, "cat", copy], capture_output=True, text=True,
                                   timeout=PATIENCE, check=False)
            self.assertEqual(shown.returncode, 2, at)
            self.assertRegex(shown.stderr, r"\Amircat: [^\n]+\n\Z")
            good = shown.stdout.splitlines()
            self.assertEqual(good, all_lines[:len(good)])
            if done.returncode == 1:
                offset = int(re.search(r"at byte (\d+)", done.stdout)[1])
                self.assertLessEqual(offset, at)
                told = re.search(r"before it (?:no|(\d+)) events", done.stdout)
                self.assertEqual(int(told[1] or 0), len(good))

    def test_damage_in_one_log_spares_the_others(self):
        copy = self.copy_of(LOGS[0])
        content = bytearray(copy.read_bytes())
        content[len(content) // 2] ^= 1
        copy.write_bytes(content)
        done = run("cat", copy, LOGS[1], status=2)
        self.assertIn(str(copy), done.stderr)
        self.assertEqual([line for line in done.stdout.splitlines() if " node 1 " in line],
                         lines("cat", LOGS[1]))

    def broken_copies(self):
        """A log that is damaged in what it says of itself, and one that was just begun."""
        content = bytearray(LOGS[0].read_bytes())
        begun = self.directory / "begun.log"
        begun.write_bytes(content[:12])
        content[200] ^= 1
        damaged = self.directory / "damaged.log"
        damaged.write_bytes(content)
        return damaged, begun

    def test_a_log_that_cannot_be_opened_spares_the_others(self):
        for copy in self.broken_copies():
            done = run("verify", copy, LOGS[1], status=1)
            self.assertRegex(done.stdout, rf"\Adamaged {copy}: .*\nsound +{LOGS[1]}: {EVENTS} ")
            rows = run("ls", copy, LOGS[1], status=1).stdout.splitlines()
            words = rows[1].split()
            self.assertEqual(words[:2] + words[-1:], [str(copy), "-", "damaged"])
            self.assertEqual(rows[2].split(), lines("ls", LOGS[1])[1].split())
            for words in (["cat"], ["export", "--json"]):
                done = run(*words, copy, LOGS[1], status=2)
                self.assertIn(str(copy), done.stderr)
                self.assertEqual(done.stdout, run(*words, LOGS[1]).stdout)
            self.assertIn(str(copy), self.refused("stat", copy))

    def test_what_was_read_before_damage_is_written(self):
        copy = self.copy_of(LOGS[0])
        content = bytearray(copy.read_bytes())
        content[len(content) // 2] ^= 1
        copy.write_bytes(content)
        good = run("cat", copy, LOGS[1], status=2).stdout.count("\n")
        self.assertGreater(good, EVENTS)
        self.assertIn(f"{good} events of", run("stat", copy, LOGS[1], status=2).stdout)
        page = self.directory / "page.html"
        done = run("report", copy, LOGS[1], "-o", page, status=2)
        self.assertIn(f"2 nodes, {good} events", done.stderr)
        self.assertIn("</html>", page.read_text())
        trace = json.loads(run("export", copy, LOGS[1], "--chrome", status=2).stdout)
        self.assertEqual(sum(event["ph"] == "X" for event in trace["traceEvents"]), good)
        graph = run("export", copy, LOGS[1], "--dot", status=2).stdout
        self.assertTrue(graph.endswith("}\n"))


class Ending(Case):
    def test_a_reader_that_goes_is_no_error(self):
        for reset in (True, False):  # Python ignores SIGPIPE; a child may, or may not.
            with subprocess.Popen([MIRCAT, "cat", *[SHOP] * 20], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, restore_signals=reset) as cat:
                self.assertTrue(cat.stdout.readline())
                cat.stdout.close()
                self.assertEqual(cat.stderr.read(), b"")
                self.assertEqual(cat.wait(PATIENCE), 0)

    def test_a_full_disk_is_told(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([MIRCAT, "cat", SHOP], stdout=full, stderr=subprocess.PIPE,
                                  text=True, timeout=PATIENCE, check=False)
        self.assertEqual((done.returncode, done.stderr),
                         (2, "mircat: the output takes no more: No space left on device\n"))


class Following(Case):
    @contextlib.contextmanager
    def following(self, log, *more):
        with subprocess.Popen([MIRCAT, "cat", "--follow", log, *more], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as cat:
            try:
                yield cat
            finally:
                cat.kill()

    def grown(self, cat, log, content, so_many):
        """Appends in uneven parts, and reads so many lines."""
        for at in range(0, len(content), 7777):
            with log.open("ab") as file:
                file.write(content[at:at + 7777])
        return [cat.stdout.readline().rstrip("\n") for _ in range(so_many)]

    def test_a_log_that_is_written(self):
        whole = LOGS[0].read_bytes()
        log = self.directory / "growing.log"
        log.write_bytes(whole[:20_000])
        first = lines("cat", log)
        with self.following(log) as cat:
            shown = [cat.stdout.readline().rstrip("\n") for _ in first]
            self.assertEqual(shown, first)
            shown += self.grown(cat, log, whole[20_000:], EVENTS - len(first))
            self.assertEqual(shown, lines("cat", LOGS[0]))
            cat.send_signal(signal.SIGINT)
            self.assertEqual(cat.communicate(timeout=PATIENCE), ("", ""))
            self.assertEqual(cat.returncode, 0)

    def test_it_ends_by_itself_where_there_is_enough(self):
        with self.following(LOGS[0], "--limit", "3") as cat:
            self.assertEqual(len(cat.communicate(timeout=PATIENCE)[0].splitlines()), 3)
            self.assertEqual(cat.returncode, 0)

    def test_it_ends_when_nobody_reads(self):
        with self.following(LOGS[0]) as cat:
            for _ in range(EVENTS):
                cat.stdout.readline()
            cat.stdout.close()
            self.assertEqual((cat.wait(PATIENCE), cat.stderr.read()), (0, ""))

    def test_it_ends_amid_a_backlog(self):
        backlog = [SHOP] * 10
        for word in (signal.SIGINT, signal.SIGTERM):
            with self.following(*backlog) as cat:
                cat.stdout.readline()
                cat.send_signal(word)
                rest = sum(1 for _ in cat.stdout)
                self.assertLess(rest, len(backlog) * 2 * EVENTS - 1)
                self.assertEqual(cat.wait(PATIENCE), 0)

    def test_it_ends_when_a_socket_is_closed(self):
        ours, its = socket.socketpair()
        with subprocess.Popen([MIRCAT, "cat", "--follow", LOGS[0]], stdout=its) as cat:
            its.close()
            with ours, ours.makefile() as shown:
                for _ in range(EVENTS):
                    shown.readline()
            try:
                self.assertEqual(cat.wait(PATIENCE), 0)
            finally:
                cat.kill()


class Selecting(Case):
    ANSWERS = "9\n1 3\n-1\n\nall\n-2..3\n\n"

    def repeats(self, shown):
        """The printed command shows what was shown after it."""
        command = re.search(r"^# (mircat cat .*)$", shown, re.M)
        words = shlex.split(command[1])[1:]
        self.assertEqual(run(*words).stdout, shown[command.end() + 1:])
        return words

    def test_by_a_pipe(self):
        shown = run("select", LOGS[0], input=self.ANSWERS).stdout
        self.assertIn('"9" is no choice: write numbers from 1 to 8', shown)
        self.assertEqual(shown.count("Which modules' events?"), 3)
        words = self.repeats(shown)
        self.assertEqual(words[words.index("--filter") + 1], "slot=crypto")

    def test_by_a_terminal(self):
        shown, status = on_terminal("select", LOGS[0], "--limit", 4, answers=["2", "", ""],
                                    NO_COLOR="1")
        self.assertEqual(status, 0)
        self.assertIn("[x] hasher", shown)
        self.assertNotIn("\033", shown)
        self.assertIn("slot=hasher", self.repeats(shown))

    def test_by_other_names(self):
        shown = run("select", LOGS[0], "--limit", 40, input=self.ANSWERS).stdout
        for alias in ("-i", "--interactive"):
            self.assertEqual(run(alias, LOGS[0], "--limit", 40, input=self.ANSWERS).stdout, shown)
            self.assertIn("logs is required", self.refused(alias))
            self.refused("cat", LOGS[0], alias)
            self.refused(LOGS[0], alias)

    def test_nothing_ticked_is_asked_again(self):
        shown = run("select", LOGS[0], "--limit", 1, input="none\n\n1\n\n\n").stdout
        self.assertIn("nothing is ticked: tick at least one", shown)
        self.repeats(shown)
        self.assertIn("tick at least one",
                      run("select", LOGS[0], input="none\n", status=2).stderr)

    def test_without_answers_all_is_shown(self):
        shown = run("select", LOGS[0], stdin=subprocess.DEVNULL).stdout
        self.assertEqual(self.repeats(shown)[1:], [str(LOGS[0])])


class Colours(Case):
    def test_only_a_terminal_has_them(self):
        words = ("cat", LOGS[0], "--limit", 2)
        self.assertNotIn("\033", run(*words).stdout)
        self.assertIn("\033[36mtracker\033[0m", on_terminal(*words)[0])
        for name, value in {"NO_COLOR": "1", "TERM": "dumb"}.items():
            self.assertEqual(on_terminal(*words, **{name: value})[0], run(*words).stdout)


class WriteAheadLogs(Case):
    def setUp(self):
        super().setUp()
        self.wal = self.directory / "wal"
        shutil.copytree(SHOP / "wal-0", self.wal)

    def contents(self):
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()
                for path in self.wal.iterdir() if path.name != "lock"}

    def damage(self):
        segment = min(self.wal.glob("segment-*"))
        content = bytearray(segment.read_bytes())
        content[900] ^= 1
        segment.write_bytes(content)
        return segment

    def test_a_sound_one(self):
        rows = lines("wal", "ls", self.directory)
        self.assertEqual(rows[0].split()[:4], ["segment", "node", "cluster", "content"])
        self.assertIn(str(self.wal / "segment-"), rows[1])
        self.assertEqual(sum(int(row.split()[-6]) for row in rows[1:]), 48)
        self.assertIn("clean\n48 sound records", run("wal", "verify", self.wal).stdout)
        before = self.contents()
        self.assertIn("nothing to repair", run("wal", "repair", self.wal, "--yes").stdout)
        self.assertEqual(self.contents(), before)

    def test_a_damaged_one(self):
        self.damage()
        before = self.contents()
        self.assertIn("corrupt: ", run("wal", "verify", self.wal, status=1).stdout)
        self.assertIn("corrupt: ", run("wal", "ls", self.wal, status=1).stderr)
        self.assertIn("Nothing is changed yet", run("wal", "repair", self.wal, status=1).stdout)
        self.assertEqual(self.contents(), before)
        self.assertIn("repaired: ", run("wal", "repair", self.wal, "--yes").stdout)
        self.assertIn("clean\n", run("wal", "verify", self.wal).stdout)
        after = self.contents()
        for name, content in before.items():
            self.assertIn(content, (after.get(name), after.get(f"damaged-{name}-1")))

    def test_a_repair_does_what_was_said(self):
        whole = self.directory / "whole"
        shutil.copytree(self.wal, whole)
        chance = random.Random(4)
        touched = 0
        for _ in range(12):
            shutil.rmtree(self.wal)
            shutil.copytree(whole, self.wal)
            for segment in self.wal.glob("segment-*"):
                content = bytearray(segment.read_bytes())
                content[chance.randrange(len(content))] ^= 16
                segment.write_bytes(content)
            before = self.contents()
            said = run("wal", "repair", self.wal, status=1).stdout
            self.assertEqual(self.contents(), before)
            left, = re.findall(r"^would be left: (.*)$", said, re.M)
            repaired = run("wal", "repair", self.wal, "--yes").stdout.splitlines()
            self.assertEqual(re.findall(r"^  (.*)$", said, re.M), repaired[2:])
            self.assertEqual(repaired[1], left)
            after = self.contents()
            for path, copy in re.findall(r"^  (.*): (?:set|cut) .*(damaged-\S+)$", said, re.M):
                self.assertEqual(before[pathlib.Path(path).name], after[copy])
                touched += 1
            for path, begin, end in re.findall(r"^  (.*): cut off, bytes (\d+)\.\.(\d+);", said,
                                               re.M):
                content = pathlib.Path(path).read_bytes()
                self.assertFalse(any(content[int(begin):]))
                self.assertLess(int(end), len(content))
        self.assertGreater(touched, 12)

    def test_a_replica_of_mirbft_kv_is_not_made_to_forget(self):
        self.damage()
        (self.directory / "node.json").write_text("{}")
        before = self.contents()
        elsewhere = self.directory / "by" / "another" / "name"
        elsewhere.parent.mkdir(parents=True)
        elsewhere.symlink_to(self.wal)
        for path in (self.directory, self.wal, f"{self.wal}/", elsewhere):
            self.assertIn("mirbft-kv --config FILE --repair",
                          self.refused("wal", "repair", path, "--yes"))
        said = run("wal", "repair", self.wal, status=1).stdout
        self.assertIn("Nothing is changed yet: mirbft-kv --config FILE --repair", said)
        self.assertNotIn("would be", said)
        self.assertEqual(self.contents(), before)

    def test_what_is_none(self):
        empty = self.directory / "empty"
        empty.mkdir()
        for path, why in {empty: "no segment of a log is here", empty / "none": "is none",
                          LOGS[0]: "is none"}.items():
            for command in ("ls", "verify", "repair"):
                self.assertIn(why, self.refused("wal", command, path))
        self.assertEqual(list(empty.iterdir()), [])


class Page(Case):
    """The worked story of the page, word for word."""

    def test_its_commands_show_what_it_says(self):
        text = PAGE.read_text(encoding="utf-8")
        blocks = re.findall(r"^```console\n(.*?)^```$", text, re.M | re.S)
        commands = 0
        shutil.copytree(SHOP, self.directory / "run")
        for block in blocks:
            for command, wanted in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.M):
                environment = os.environ | {"PATH": f"{self.directory}:{os.environ['PATH']}"}
                link = self.directory / "mircat"
                if not link.exists():
                    link.symlink_to(TESTS / "own_mircat")
                done = subprocess.run(["sh", "-c", command], cwd=self.directory, text=True,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                      env=environment, timeout=PATIENCE, check=False)
                self.assertEqual(done.stdout, wanted, command)
                commands += 1
        self.assertGreaterEqual(commands, 5)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="mircat-shop-") as made:
        SHOP = pathlib.Path(made)
        subprocess.run([TESTS / "record_shop", SHOP], check=True, timeout=PATIENCE)
        LOGS = sorted(SHOP.glob("node-*.log"))
        result = unittest.main(argv=sys.argv[:1], exit=False).result
    sys.exit(not result.wasSuccessful())
