#!/usr/bin/env python3
"""The committed single header is what include/ makes, and compiles alone in an empty folder."""
import concurrent.futures
import itertools
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADER = ROOT / "single_include" / "mirbft" / "mirbft.hpp"
STRICT = "-std=c++20 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror".split()


def compile_alone(compiler, macros, optional):
    """What is wrong, or an empty string. Without its macro no file of a library may be read."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(HEADER, folder)
        pathlib.Path(folder, "user.cpp").write_text('#include "mirbft.hpp"\nint main() {}\n')
        command = [compiler, *STRICT, "-fsyntax-only", "-MD", "-MF", "read.d",
                   *(f"-D{macro}" for macro in macros), "user.cpp"]
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if run.returncode:
            return f"{' '.join(command)}\n{run.stderr[:4000]}"
        read = pathlib.Path(folder, "read.d").read_text()
    closed = {macro.removeprefix("MIRBFT_WITH_").lower() for macro in set(optional) - set(macros)}
    found = [name for name in closed if name in read]
    return f"{compiler}: reads {found[0]} without its macro" if found else ""


def main():
    amalgamate = ROOT / "single_include" / "amalgamate.py"
    if subprocess.run([sys.executable, amalgamate, "--check"]).returncode:
        sys.exit(1)
    optional = sorted(set(re.findall(r"#ifdef (MIRBFT_WITH_\w+)", HEADER.read_text())))
    cases = list(itertools.product(["g++", "clang++"], [[], optional], [optional]))
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        wrong = [text for text in pool.map(lambda case: compile_alone(*case), cases) if text]
    print(*wrong, f"{len(cases) - len(wrong)} of {len(cases)} compile alone", sep="\n")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
