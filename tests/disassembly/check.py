#!/usr/bin/env python3
"""Disassembles the work loop of a Node and looks for calls through pointers.

work_loop.cpp is compiled with g++ and clang++ at -O2. From the function `work` all functions of the
object file that it calls, directly or not, are followed; in none of them may there be an indirect
call, and an indirect jump only where a table offset was just computed: the jump table of a visitor.
Allowed is what follows __cxa_begin_catch, that is `what()` of a caught exception: the Node is
failing then. NullInterceptor must have left no function behind. Two variants, with a virtual call
and with std::visit, must be found out, or the check could not fail.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
COMPILERS = ("g++", "clang++")
FLAGS = ["-std=c++20", "-O2", "-DNDEBUG", "-ffunction-sections", "-c",
         "-I", str(HERE.parents[1] / "include"), "-I", str(HERE.parent)]
FUNCTION = re.compile(r"^[0-9a-f]+ <(.+)>:$")
# A relocation names where a call of another function goes.
RELOCATION = re.compile(
    r"R_X86_64_(?:PLT32|PC32|GOTPCRELX?|REX_GOTPCRELX)\s+(\S+?)(?:[+-]0x[0-9a-f]+)?$")
INDIRECT = re.compile(r"\b(?:notrack )?(call|jmp)\s+(?:notrack )?\*(\S+)")


def compile_to(folder, compiler, *defines):
    target = folder / "work_loop.o"
    subprocess.run([compiler, *FLAGS, *defines, str(HERE / "work_loop.cpp"), "-o", str(target)],
                   check=True)
    return target


def functions(target):
    """Name -> lines of each function, with the relocations in their places."""
    text = subprocess.run(["objdump", "-dr", "--no-show-raw-insn", "-w", str(target)], check=True,
                          capture_output=True, text=True).stdout
    found, lines = {}, []
    for line in text.splitlines():
        start = FUNCTION.match(line)
        if start:
            lines = found.setdefault(start[1], [])
        elif line.strip():
            lines.append(line.strip())
    return found


def callees(lines):
    names = set()
    for line in lines:
        relocation = RELOCATION.search(line)
        if relocation:
            names.add(relocation[1].removeprefix(".text.").removeprefix("unlikely."))
        direct = re.search(r"\b(?:call|jmp|j\w+)\s+[0-9a-f]+ <([^+>]+)", line)
        if direct:
            names.add(direct[1])
    return names


def reached(all_functions):
    todo, seen = ["work"], set()
    while todo:
        name = todo.pop()
        if name in seen or name not in all_functions:
            continue
        seen.add(name)
        todo += callees(all_functions[name])
        todo += [cold for cold in (name + ".cold",) if cold in all_functions]
    return seen


def is_jump_table(lines, place):
    """`jmp *%reg` after the register was added to a table's address, or `jmp *table(,%reg,8)`."""
    kind, operand = INDIRECT.search(lines[place]).groups()
    if kind != "jmp":
        return False
    if re.fullmatch(r"0x[0-9a-f]+\(,%r\w+,8\)|\(%r\w+,%r\w+,8\)", operand):
        return True
    before = " ".join(lines[max(0, place - 6):place])
    return operand.startswith("%r") and re.search(r"movslq .*,4\),", before) and "add " in before


def flaws(all_functions, names):
    wrong = []
    for name in sorted(names):
        lines = all_functions[name]
        caught = False
        for place, line in enumerate(lines):
            caught = caught or "__cxa_begin_catch" in line
            indirect = INDIRECT.search(line)
            if not indirect or caught:
                continue
            if not is_jump_table(lines, place):
                wrong.append(f"{name}: {line}")
    return wrong


def examine(folder, compiler, *defines):
    all_functions = functions(compile_to(folder, compiler, *defines))
    names = reached(all_functions)
    return all_functions, names, flaws(all_functions, names)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("compilers", nargs="*", default=COMPILERS)
    arguments = parser.parse_args()
    failed = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for compiler in arguments.compilers:
            _, names, wrong = examine(folder, compiler)
            failed += [f"{compiler}: {flaw}" for flaw in wrong]
            if len(names) < 3:
                failed.append(f"{compiler}: only {len(names)} functions reached from `work`")
            failed += [f"{compiler}: NullInterceptor left {name}" for name in names
                       if "NullInterceptor9intercept" in name]
            for variant in ("MIRBFT_WITH_VIRTUAL", "MIRBFT_WITH_STD_VISIT"):
                if not examine(folder, compiler, "-D" + variant)[2]:
                    failed.append(f"{compiler}: {variant} was not found: the check is blind")
            print(f"{compiler}: {len(names)} functions of the work loop examined")
    print("\n".join(failed) or "disassembly: no call through a pointer")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
