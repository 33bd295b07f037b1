#!/usr/bin/env python3
"""Writes single_include/mirbft/mirbft.hpp: include/mirbft/mirbft.hpp with our headers in place.

    amalgamate.py               writes the file
    amalgamate.py --check       writes nothing; fails if the file is not what would be written

A header that needs one more library is included by mirbft.hpp between `#ifdef MIRBFT_WITH_…` and
`#endif`, and by no header outside. Every header under include/mirbft must be reached but those of
mircat, which are a program's.
"""
import argparse
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
INCLUDE = HERE.parent / "include"
OUTPUT = HERE / "mirbft" / "mirbft.hpp"
ENTRY = "mirbft/mirbft.hpp"

OWN_INCLUDE = re.compile(r"#include <(mirbft/[^>]+)>")
OPTIONAL = re.compile(r"#ifdef (MIRBFT_WITH_\w+)")
GUARD = re.compile(r"#ifndef (MIRBFT_\w+_HPP)\n#define \1\n(.*)\n#endif\s*$", re.DOTALL)


class Unfit(Exception):
    """The headers cannot be put into one file; the text says which and why."""


def without_guard(header):
    text, found = GUARD.subn(r"\2", (INCLUDE / header).read_text())
    if not found:
        raise Unfit(f"{header}: no include guard that spans the header")
    return text.splitlines()


class Amalgamation:
    """The text so far, and what it already holds."""

    def __init__(self):
        self.lines = []
        self.reached = {ENTRY}
        self.external = set()  # includes that stand in the output outside any condition
        self.needs = {}  # the macro that opens a header, for those that mirbft.hpp guards
        for macro, header in self.entry_includes():
            self.needs[header] = macro
        for macro, header in self.entry_includes():
            if header not in self.reached:
                self.lines += ["", f"#ifdef {macro}"] if macro else []
                self.add(header, ENTRY, macro)
                self.lines += ["", "#endif"] if macro else []

    @staticmethod
    def entry_includes():
        """What mirbft.hpp includes, each with the macro that it stands under, or None."""
        macro = None
        for line in without_guard(ENTRY):
            if match := OPTIONAL.match(line):
                macro = match[1]
            elif line.startswith("#endif"):
                macro = None
            elif match := OWN_INCLUDE.match(line):
                yield macro, match[1]

    def add(self, header, by, macro):
        """Appends a header, at a place of the output that is under `macro`."""
        if self.needs.get(header) != macro:
            raise Unfit(f"{by} needs {header} under {macro or 'no condition'}, but mirbft.hpp has "
                        f"it under {self.needs.get(header) or 'none, or further down'}")
        self.reached.add(header)
        self.lines += ["", f"// <{header}>"]
        depth = 0
        for line in without_guard(header):
            depth += bool(re.match(r"# *if", line)) - bool(re.match(r"# *endif", line))
            if match := OWN_INCLUDE.match(line):
                if match[1] in self.reached:
                    continue
                if depth:
                    raise Unfit(f"{header} includes {match[1]} under a condition")
                self.add(match[1], header, macro)
            elif not line.startswith("#include") or line not in self.external:
                self.lines.append(line)
                if line.startswith("#include") and not depth and not macro:
                    self.external.add(line)

    def text(self):
        everything = {str(p.relative_to(INCLUDE)) for p in (INCLUDE / "mirbft").rglob("*.hpp")
                      if p.parent.name != "mircat"}
        if missed := sorted(everything - self.reached):
            raise Unfit("mirbft.hpp does not reach " + ", ".join(missed))
        body = re.sub(r"\n{3,}", "\n\n", "\n".join(self.lines))
        return ("// SPDX-License-Identifier: Apache-2.0\n"
                "// Made from include/ by single_include/amalgamate.py: edit the headers there.\n"
                f"#ifndef MIRBFT_MIRBFT_HPP\n#define MIRBFT_MIRBFT_HPP\n{body}\n\n#endif\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    arguments = parser.parse_args()

    text = Amalgamation().text()
    if not arguments.check:
        OUTPUT.parent.mkdir(exist_ok=True)
        OUTPUT.write_text(text)
    elif not OUTPUT.exists() or OUTPUT.read_text() != text:
        raise Unfit("single_include/mirbft/mirbft.hpp is not what include/ makes: "
                    "run single_include/amalgamate.py and commit the outcome")


if __name__ == "__main__":
    try:
        main()
    except Unfit as unfit:
        sys.exit(f"amalgamate.py: {unfit}")
