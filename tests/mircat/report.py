#!/usr/bin/env python3
"""What `mircat report` and `mircat export` make of a simulated cluster's logs: the page is opened
in headless Chromium and used as people use it, and the exports are read back.

    report.py BIN [PICTURES]    the folder of the programs, and one for screenshots to look at
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

from browser import Browser

HERE = pathlib.Path(__file__).resolve().parent
EVENTS = 100_000
# In milliseconds, of a machine that does other things too.
FIRST_PAINT = 6000
FRAME = 400
PICTURES = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
BIN = pathlib.Path(sys.argv[1])


def mircat(*arguments, status=0):
    done = subprocess.run([BIN / "mircat", *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == status, done.stderr
    return done


def check(condition, what):
    if not condition:
        sys.exit(f"report.py: {what}")


def picture(browser, name):
    if PICTURES:
        browser.screenshot(PICTURES / f"{name}.png")


def use_page(browser, page):
    browser.open(page.as_uri())
    browser.frame()
    size, painted = browser.run("return [report.model.size, report.painted]")
    check(size == EVENTS, f"the page draws {size} events")
    check(painted < FIRST_PAINT, f"the first paint took {painted:.0f} ms")
    check(browser.run("return document.getElementById('findings').textContent")
          .count("never arrived") == 1, "the findings do not tell of lost messages")
    picture(browser, "all")

    worst = 0
    for factor in (1, 0.5, 0.2, 0.1, 0.02, 0.002):
        browser.run("report.diagram.fit(); report.diagram.zoom(arguments[0]);", factor)
        browser.keys("\ue012")  # The left arrow moves, and so draws.
        worst = max(worst, browser.run("return report.diagram.frame"))
    check(worst < FRAME, f"a frame takes {worst:.0f} ms")
    return painted, worst


def filter_and_jump(browser):
    shown = "return report.model.shown.length"
    browser.keys("0")
    browser.type("#types", "PrePrepare")
    names = browser.run(
        "return [...new Set([...report.model.shown].map(e => report.model.name(e)))]")
    check(names == ["PrePrepare"], f"the filter by type shows {names}")
    proposals = browser.run(shown)

    sn = browser.run("return report.model.sn[report.model.shown[report.model.shown.length - 1]]")
    browser.type("#sns", str(sn))
    check(0 < browser.run(shown) < 10, "the filter by sequence number does not narrow enough")
    browser.click("#next")
    first = browser.run("return report.diagram.selected")
    browser.click("#next")
    second = browser.run("return report.diagram.selected")
    check(0 <= first < second, "there is no next event")
    check(browser.run("return report.diagram.x(report.diagram.selected)") > 0, "it is out of sight")
    panel = browser.run("return document.getElementById('event').textContent")
    check("PrePrepare" in panel and f"sn {sn}" in panel and "batch" in panel,
          f"the event's fields are not shown: {panel}")
    picture(browser, "one-slot")

    browser.click("#nodes button")
    check(browser.run("return [...report.model.shown].every(e => report.model.node[e] !== 0)"),
          "a hidden node is shown")
    browser.run("document.activeElement.blur()")
    browser.keys("\ue00c")  # Escape takes all filters away.
    check(browser.run(shown) == EVENTS, "the filters are not taken away")
    browser.keys("j")
    check(browser.run("return report.model.name(report.diagram.selected)") == "PrePrepare",
          "the next of a kind is of another kind")
    return proposals


def follow_and_click(browser):
    # From a receipt to where it was sent, and an event by the mouse.
    receipt = browser.run("return report.model.arrows[report.model.arrows.length - 1]")
    browser.run("report.go.event(arguments[0])", receipt)
    browser.keys("m")
    check(browser.run("return report.diagram.selected === report.model.sending[arguments[0]]",
                      receipt), "a message does not lead to its sender")
    browser.run("report.diagram.show(report.diagram.axis[arguments[0]], 2e6)", receipt)
    browser.keys("o")
    browser.run("const d = report.diagram; d.show(d.axis[arguments[0]], 60)", receipt)
    browser.keys("\ue012")
    picture(browser, "near")
    left, top, x, y = browser.run(
        "const d = report.diagram, box = d.canvas.getBoundingClientRect(), e = arguments[0];"
        " return [box.left, box.top, d.x(e), d.y(e)]", receipt)
    browser.click_at(left + x, top + y)
    check(browser.run("return report.diagram.selected") == receipt, "a click chooses another event")
    before = browser.run("return report.diagram.to - report.diagram.from")
    browser.wheel(round(left + x), round(top + y), 200)
    check(browser.run("return report.diagram.to - report.diagram.from") > before,
          "the wheel does not zoom")


def use_matrix(browser):
    left, top, x, y = browser.run(
        "const m = report.matrix, box = m.canvas.getBoundingClientRect();"
        " return [box.left, box.top, m.x(m.first + 1), m.y(1)]")
    browser.click_at(left + x + 2, top + y + 3)
    check(browser.run("return document.getElementById('slot').textContent").startswith("sn "),
          "a click on the matrix shows no slot")
    for panel in ("latency", "kinds", "help", "findings"):
        browser.click(f"#tab-{panel}")
        check(browser.run("return document.getElementById(arguments[0]).textContent.length > 100",
                          panel), f"the panel {panel} is empty")
        picture(browser, panel)
    browser.click("#theme")
    picture(browser, "other-theme")


def zoom_far_from_the_base(browser):
    # As where a simulator's log and that of a real node are on one page.
    browser.run("const d = report.diagram; window.plain = d.model.times;"
                " d.axis = d.model.times = plain.map((time, e) => e ? 1.7e18 + time : 0);"
                " d.fit(); d.show(d.last, 1);")
    browser.keys("\ue012")
    finest = browser.run("const d = report.diagram; return (d.to - d.from) / d.last")
    check(finest >= 2 ** -48, f"the view is {finest} of all times: numbers are no finer")
    browser.run("const d = report.diagram; d.axis = d.model.times = plain; d.fit();")


def check_page(page):
    text = page.read_text()
    check(not re.search(r"(src|href)\s*=|url\(|@import", text.split('id="data"')[0]),
          "the page needs something else")
    with Browser() as browser:
        painted, worst = use_page(browser, page)
        proposals = filter_and_jump(browser)
        follow_and_click(browser)
        use_matrix(browser)
        zoom_far_from_the_base(browser)
        check(not (said := browser.messages()), f"the console says {said}")
    print(f"page of {EVENTS} events, {page.stat().st_size >> 20} MiB: first paint "
          f"{painted:.0f} ms, slowest frame {worst:.0f} ms, {proposals} proposals")


def check_exports(logs, folder):
    few = ["--limit", "20000"]
    trace = json.loads(mircat("export", logs, "--chrome", *few).stdout)["traceEvents"]
    starts = {event["id"] for event in trace if event["ph"] == "s"}
    ends = [event["id"] for event in trace if event["ph"] == "f"]
    check(sum(event["ph"] == "X" for event in trace) == 20000, "events are missing in the trace")
    check(ends and sum(end in starts for end in ends) > 0.9 * len(ends), "flows lead nowhere")

    expression, blank, *lines = mircat("export", logs, "--shiviz", *few).stdout.splitlines()
    check(blank == "", "ShiViz' second line separates executions: there is one")
    pattern = re.compile(expression.replace("?<", "?P<"))
    clocks = {}
    for event, where in zip(lines[::2], lines[1::2]):
        found = pattern.fullmatch(f"{event}\n{where}")
        check(found, f"ShiViz cannot read: {event}\n{where}")
        host, clock = found["host"], json.loads(found["clock"])
        before = clocks.get(host, {})
        check(clock[host] == before.get(host, 0) + 1, "a clock does not count its own events")
        check(all(clock[node] >= count for node, count in before.items()), "a clock goes back")
        check(all(clocks.get(node, {}).get(node, 0) >= count for node, count in clock.items()
                  if node != host), "a clock knows what has not happened")
        clocks[host] = clock
    check(all(len(clock) == 4 for clock in clocks.values()), "nodes do not hear of one another")

    graph = folder / "slot.dot"
    mircat("export", logs, "--dot", "--filter", "sn=7", "--limit", "80", "-o", str(graph))
    drawn = subprocess.run(["dot", "-Tsvg", graph], capture_output=True, text=True, timeout=60)
    check(drawn.returncode == 0 and drawn.stdout.count('class="node"') == 80, drawn.stderr)

    lines = mircat("export", logs, "--json", *few).stdout.splitlines()
    objects = [json.loads(line) for line in lines]
    times = [int(found["time"]) for found in objects]
    check(len({found["node"] for found in objects}) == 4 and times == sorted(times),
          "the JSON lines are not merged by time")
    refused = mircat("export", logs, "--dot", "--json", status=2).stderr
    check(refused.count("\n") == 1 and "--chrome" in refused, f"unclear: {refused}")
    refused = mircat("report", logs, "-o", str(folder / "no" / "page.html"), status=2).stderr
    check(refused.count("\n") >= 1 and "cannot be written" in refused, f"unclear: {refused}")
    print("exports: Chrome, ShiViz, Graphviz and JSON read back")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        logs = folder / "logs"
        logs.mkdir()
        subprocess.run([BIN / "mirbft-sim", "--scenario", HERE / "stopped.scenario",
                        "--event-logs", logs], check=True, stdout=subprocess.DEVNULL, timeout=120)
        page = folder / "report.html"
        said = mircat("report", str(logs), "--limit", str(EVENTS), "-o", str(page)).stderr
        check(f"the page draws {EVENTS} of" in said, f"nothing says that it is cut: {said}")
        check_page(page)
        check_exports(str(logs), folder)


if __name__ == "__main__":
    main()
