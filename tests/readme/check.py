#!/usr/bin/env python3
"""The program in README.md is examples/counter/main.cpp, letter for letter; what else it shows in
C++ stands in a test.

  check.py          fails where they differ
  check.py --write  copies the program into README.md
"""
import pathlib
import re
import sys
import textwrap

root = pathlib.Path(__file__).resolve().parents[2]
readme = root / "README.md"
program = (root / "examples/counter/main.cpp").read_text()
block = re.compile(r"```cpp\n(.*?)```", re.S)

text = readme.read_text()
found = block.search(text)
if not found:
    sys.exit("README.md: no ```cpp block: put one back for the smallest program")
if "--write" in sys.argv[1:]:
    readme.write_text(text[: found.start(1)] + program + text[found.end(1):])
elif found.group(1) != program:
    sys.exit("README.md: its program is not examples/counter/main.cpp: "
             "run python3 tests/readme/check.py --write")

tested = (root / "tests/client/example_test.cpp").read_text()
for example in block.findall(readme.read_text())[1:]:
    if textwrap.indent(example, "  ") not in tested:
        sys.exit("README.md: the example that begins with '" + example.split("\n")[0] +
                 "' is not in tests/client/example_test.cpp: change both alike")
