#!/usr/bin/env python3
"""Compiles each tests/wiring/*.cpp with g++ and clang++ and holds what their user would read.

A file says what it expects in comments of its own:

    // expect: TEXT            both compilers refuse it, and TEXT is in what they print
    // expect g++: TEXT        the same for one of them (or `clang++`)
    // max-errors: N           at most N lines with "error:"
    // max-lines g++: N        at most N lines in all
    // compiles                both accept it without a word (instead of all the above)

Blanks are compared as one blank. Arguments name single files; `-v` prints the compilers' output.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
COMPILERS = ("g++", "clang++")
DIRECTIVE = re.compile(r"^// (?P<rule>expect|max-errors|max-lines)(?: (?P<compiler>[\w+]+))?: "
                       r"(?P<value>.+)$", re.M)


def squeeze(text):
    return " ".join(text.split())


def complaints(source, compiler, output, accepted):
    """What the compiler did against the file's own words."""
    text = source.read_text()
    if re.search(r"^// compiles$", text, re.M):
        return [] if accepted and not output else ["must compile without a word"]
    wrong = ["compiles, and must not"] if accepted else []
    rules = [(m["rule"], m["value"]) for m in DIRECTIVE.finditer(text)
             if m["compiler"] in (None, compiler)]
    expected = [value for rule, value in rules if rule == "expect"]
    if not expected:
        wrong.append("has no `// expect:` line")
    printed = squeeze(output)
    wrong += [f"does not print: {value}" for value in expected if squeeze(value) not in printed]
    counts = {"max-errors": len(re.findall(r"\berror:", output)),
              "max-lines": output.count("\n")}
    wrong += [f"{rule} is {value}, but it prints {counts[rule]}" for rule, value in rules
              if rule in counts and counts[rule] > int(value)]
    if "fatal error:" in output:
        wrong.append("includes what is not there")
    return wrong


def check(source, compiler):
    command = [compiler, "-std=c++20", "-fsyntax-only", "-I", str(HERE.parents[1] / "include"),
               str(source)]
    # The C locale makes g++ quote in ASCII.
    run = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})
    wrong = complaints(source, compiler, run.stderr, run.returncode == 0)
    return source.name, compiler, wrong, run.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-v", "--verbose", action="store_true", help="print what compilers print")
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    arguments = parser.parse_args()

    sources = arguments.files or sorted(HERE.glob("*.cpp"))
    cases = [(source, compiler) for source in sources for compiler in COMPILERS]
    if not cases:
        sys.exit("wiring: no cases")
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        for name, compiler, wrong, output in pool.map(lambda case: check(*case), cases):
            failed += bool(wrong)
            for text in wrong:
                print(f"{name}: {compiler} {text}")
            if arguments.verbose or wrong:
                print(output)
    print(f"wiring: {len(cases) - failed} of {len(cases)} are as they must be")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
