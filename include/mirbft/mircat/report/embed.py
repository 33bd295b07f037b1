#!/usr/bin/env python3
"""Writes ../report_page.hpp: the report's page, put together from the files in this folder.

    embed.py               writes the header
    embed.py --check       writes nothing; fails if the header is not what would be written
"""
import argparse
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
OUTPUT = HERE.parent / "report_page.hpp"
SCRIPTS = ["model.js", "diagram.js", "matrix.js", "panels.js", "main.js"]
# Every compiler must take a literal of 65536 characters.
LONGEST = 60000

HEADER = """\
// The report's page. Written by report/embed.py from the files beside it: change those.
#ifndef MIRBFT_MIRCAT_REPORT_PAGE_HPP
#define MIRBFT_MIRCAT_REPORT_PAGE_HPP

#include <string_view>

namespace mirbft::mircat::report_page {{

/// What stands before the data, and after them, each in pieces.
inline constexpr std::string_view before_data[] = {{{before}}};

inline constexpr std::string_view after_data[] = {{{after}}};

}}  // namespace mirbft::mircat::report_page

#endif
"""


def page():
    """The whole page in two parts: what comes before the data, and what comes after."""
    script = "\n".join((HERE / name).read_text() for name in SCRIPTS)
    text = (HERE / "page.html").read_text()
    text = text.replace("/*style*/\n", (HERE / "style.css").read_text())
    text = text.replace("/*script*/\n", script)
    before, after = text.split("<!--data-->\n")
    return before, after


def literals(text):
    """Raw string literals that make up the text, none of them too long."""
    pieces, piece = [], ""
    for line in text.splitlines(keepends=True):
        if len((piece + line).encode()) > LONGEST:
            pieces.append(piece)
            piece = ""
        piece += line
    pieces.append(piece)
    return ",\n".join(f'R"page({piece})page"' for piece in pieces)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    before, after = page()
    header = HEADER.format(before=literals(before), after=literals(after))
    if parser.parse_args().check:
        if OUTPUT.read_text() != header:
            sys.exit(f"{OUTPUT.name} is not what its parts make: run {pathlib.Path(__file__).name}")
    else:
        OUTPUT.write_text(header)


if __name__ == "__main__":
    main()
