#!/usr/bin/env python3
"""Checks what a reader of this repository may rely on: layout, layers, and the shape of the text.

Prints one line a finding, `file:line: rule`, and fails if there is any.
"""
import os
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = ROOT / "include" / "mirbft"

COLUMNS = 100
FUNCTION_LINES = 70

TOP_LEVEL = {"CMakeLists.txt", "CMakePresets.json", "LICENSE", "README.md",
             "examples", "include", "proto", "single_include", "tests"}

# What each part of include/mirbft may include of the others, besides itself. A part is a folder
# or a single header; each folder under modules/ is a part of its own.
VALUES = {"types"}
EVENTS = VALUES | {"wire", "events"}
NODE = EVENTS | {"engine", "concepts.hpp"}
LAYERS = {
    "types": set(),
    "wire": VALUES,
    "events": VALUES | {"wire"},
    "engine": EVENTS | {"concepts.hpp"},
    "concepts.hpp": EVENTS | {"engine"},
    "node.hpp": NODE,
    "modules": EVENTS,
    "modules/interceptor": EVENTS | {"log"},  # the event log is what it writes
    "modules/wal": EVENTS | {"modules/files"},  # what both of them keep on disk
    "modules/store": EVENTS | {"modules/files"},
    "protocol": EVENTS,
}
ABOVE_THE_NODE = {"client", "log", "mircat", "sim", "mirbft.hpp"}

# External libraries, each with the headers that may include it.
EXTERNAL = [
    (r"boost/hana/(adapt|define)_struct\.hpp", r""),
    (r"boost/(hana|preprocessor)[/.]", r"(wire|engine)/|types/reflect\.hpp"),
    (r"boost/asio/ssl", r"modules/net/tls"),
    (r"boost/(asio|system)[/.]", r"modules/net/(tcp|tls)|client/"),
    (r"boost/", r"$"),
    (r"google/protobuf/", r"(wire|log|mircat)/"),
    (r"openssl/", r"modules/\w+/(openssl|tls)"),
    (r"sodium", r"modules/\w+/sodium"),
    (r"zstd", r"log/zstd"),
    (r"rocksdb/", r"modules/\w+/rocksdb"),
    (r"CLI/", r"mircat/command_line\.hpp"),  # a program above the library: nobody includes it
]

# Words, and the places under include/mirbft that must do without them.
ON_THE_WAY = r"(engine|events|protocol)/|node\.hpp"
DETERMINISTIC = r"(engine|protocol|modules/tracker)/"
CLOCKLESS = r"(engine/(?!threaded|clock)|protocol/|modules/tracker/)"
NO_WORDS = [
    (r"\bvirtual\b|\bstd::(function|shared_ptr)\b", ON_THE_WAY, "not on the way of an event"),
    (r"\bunordered_\w+|\brandom_device\b", DETERMINISTIC, "not where all must do the same"),
    (r"\b\w+_clock\b", CLOCKLESS, "time comes as Tick events"),
]

NOT_OURS = {".git", "build", "single_include/mirbft"}

findings = []


def report(path, line, rule):
    findings.append(f"{path.relative_to(ROOT)}:{line}: {rule}")


def files(*suffixes):
    """The files of the repository with these endings, without what is built or generated."""
    for folder, folders, names in os.walk(ROOT):
        inner = pathlib.Path(folder).relative_to(ROOT)
        folders[:] = sorted(name for name in folders if str(inner / name) not in NOT_OURS)
        for name in sorted(names):
            if name.endswith(suffixes):
                yield ROOT / inner / name


def blank_out(match):
    return re.sub(r"[^\n]", " ", match[0])


COMMENT = r"//[^\n]*|/\*.*?\*/"
TEXT_LITERAL = r'R"(\w*)\(.*?\)\1"|"(\\.|[^"\\\n])*"'
CHARACTER_LITERAL = r"(?<!\w)'(\\.|[^'\\\n])+'"


def code_of(text):
    """The text with comments and literals as blanks: every place stays where it was."""
    return re.sub(f"{COMMENT}|{TEXT_LITERAL}|{CHARACTER_LITERAL}", blank_out, text, flags=re.DOTALL)


def check_top_level():
    for path in ROOT.iterdir():
        if not path.name.startswith(".") and path.name not in TOP_LEVEL | {"build"}:
            report(path, 1, "the top level holds only what the design lists")
    for name in TOP_LEVEL:
        if not (ROOT / name).exists():
            report(ROOT / name, 1, "is missing at the top level")


def check_text(path):
    if path.name == "package-lock.json":  # npm writes it
        return
    left_open = re.compile(r"\b(" + "|".join(["TO" "DO", "FIX" "ME", "XX" "X", "HA" "CK"]) + r")\b")
    text = path.read_text()
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > COLUMNS:
            report(path, number, f"{len(line)} columns, at most {COLUMNS}")
        if "\t" in line:
            report(path, number, "a tab")
        if line != line.rstrip():
            report(path, number, "blanks at the end")
        if left_open.search(line):
            report(path, number, "left open: finish it, or file an issue")
    if text and not text.endswith("\n"):
        report(path, text.count("\n") + 1, "no new line at the end")


def check_guard(path):
    inner = path.relative_to(INCLUDE.parent)
    guard = re.sub(r"\W", "_", str(inner.relative_to("mirbft"))).upper()
    guard = f"MIRBFT_{guard}"
    text = path.read_text()
    if not text.startswith("// "):
        report(path, 1, "the first line says what lives in the header")
    if f"\n#ifndef {guard}\n#define {guard}\n" not in text or not text.endswith("\n#endif\n"):
        report(path, 1, f"the include guard must be {guard}")


def part_of(header):
    """The part that a path below include/mirbft belongs to."""
    return "/".join(header.parts[:2]) if header.parts[0] == "modules" else header.parts[0]


def check_layers(path):
    inner = path.relative_to(INCLUDE)
    part = part_of(inner)
    if part in ABOVE_THE_NODE:
        allowed = None
    else:
        allowed = LAYERS.get(part, LAYERS.get(inner.parts[0], set())) | {part}
    for number, line in enumerate(path.read_text().split("\n"), 1):
        match = re.match(r'#include ([<"])([^>"]+)', line)
        if not match:
            continue
        included = match[2]
        if match[1] == '"':
            report(path, number, "own headers are included as <mirbft/…>")
        elif included.startswith("mirbft/"):
            other = part_of(pathlib.PurePath(included).relative_to("mirbft"))
            if allowed is not None and other not in allowed:
                report(path, number, f"{part} may not include {other}")
        else:
            library = next((rule for rule in EXTERNAL if re.match(rule[0], included)), None)
            if library and not re.match(library[1], str(inner)):
                report(path, number, f"{included} belongs in {library[1]}")


def check_words(path, code):
    inner = str(path.relative_to(INCLUDE))
    for words, places, why in NO_WORDS:
        if re.match(places, inner):
            for match in re.finditer(words, code):
                report(path, code.count("\n", 0, match.start()) + 1, f"{match[0]}: {why}")


def check_assertions(path, text):
    """A wiring error is read by users: its text begins alike, so that they find it."""
    if not re.match(r"engine/|node\.hpp|concepts\.hpp", str(path.relative_to(INCLUDE))):
        return
    for match in re.finditer(r"\bstatic_assert\(", code_of(text)):
        statement = text[match.start():text.find(";", match.start())]
        if '"[mirbft]' not in statement:
            line = text.count("\n", 0, match.start()) + 1
            report(path, line, 'the text of a static_assert starts with "[mirbft]"')


def without_template(head):
    """What follows `template <…>` at the start of a declaration."""
    head = head.strip()
    if not head.startswith("template"):
        return head
    depth = 0
    for place, character in enumerate(head):
        depth += (character == "<") - (character == ">")
        if character == ">" and depth == 0:
            return without_template(head[place + 1:])
    return head


def opens_function(head):
    container = r"(inline )?(namespace|class|struct|union|enum|extern|TEST_SUITE)\b"
    return "(" in head and not re.match(container, without_template(head))


def check_functions(path, code):
    """Finds the braces around each outermost function's body and counts the lines between."""
    code = re.sub(r"^#.*?(?<!\\)$", blank_out, code, flags=re.MULTILINE | re.DOTALL)
    opened = []  # the line of each open brace, and whether it opened an outermost function
    inside = False
    head_start = 0
    for match in re.finditer(r"[{};]", code):
        line = code.count("\n", 0, match.start()) + 1
        if match[0] == "{":
            function = not inside and opens_function(code[head_start:match.start()])
            inside = inside or function
            opened.append((line, function))
        elif match[0] == "}" and opened:
            start, function = opened.pop()
            inside = inside and not function
            if function and line - start >= FUNCTION_LINES:
                report(path, start, f"a function of {line - start + 1} lines, at most "
                                    f"{FUNCTION_LINES}")
        head_start = match.end()


def check_documentation(path, text):
    """A type that users can name is documented where it is defined."""
    lines = text.split("\n")
    hidden = False
    for number, line in enumerate(lines):
        if re.match(r"(}  // )?namespace\b", line):
            hidden = bool(re.match(r"namespace .*\b(detail|engine|wiring)\b", line))
        match = re.match(r"(struct|class|enum class) (\w+)\b(?!<)[^;]*(\{.*)?$", line)
        if not match or hidden:
            continue
        before = number - 1
        while re.match(r"template |  +requires|requires|  +\S.*[,>]$", lines[before]):
            before -= 1
        if not lines[before].startswith("///"):
            report(path, number + 1, f"{match[2]} has no `///` comment")


def main():
    check_top_level()
    for path in files(".hpp", ".cpp", ".py", ".sh", ".txt", ".json", ".proto"):
        if "corpus" not in path.parts and "data" not in path.parts:
            check_text(path)
    for path in files(".hpp", ".cpp"):
        check_functions(path, code_of(path.read_text()))
    for path in sorted(INCLUDE.rglob("*.hpp")):
        text = path.read_text()
        check_guard(path)
        check_layers(path)
        check_words(path, code_of(text))
        check_assertions(path, text)
        check_documentation(path, text)
    print(*findings, f"style: {len(findings)} findings", sep="\n")
    sys.exit(bool(findings))


if __name__ == "__main__":
    main()
