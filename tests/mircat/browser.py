"""Headless Chromium by chromedriver's own protocol (https://www.w3.org/TR/webdriver2/): nothing but
the standard library is needed."""
import base64
import json
import re
import subprocess
import tempfile
import urllib.request

CHROMIUM = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--disable-dev-shm-usage", "--hide-scrollbars"]
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Browser:
    """One window. To be used in a `with` statement."""

    def __init__(self, width=1280, height=720, dark=False, scale=1):
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], text=True,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        line = next(line for line in self.driver.stdout if "successfully on port" in line)
        self.address = f"http://127.0.0.1:{re.search('on port ([0-9]+)', line)[1]}"
        arguments = CHROMIUM + [f"--window-size={width},{height}",
                                f"--user-data-dir={self.profile.name}",
                                f"--force-device-scale-factor={scale}"]
        if dark:
            arguments.append("--blink-settings=preferredColorScheme=0")
        options = {"args": arguments}
        self.session = ""
        started = self.call("POST", "/session", {"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}}})
        self.session = f"/session/{started['sessionId']}"
        # The window's size is to be the page's.
        inner = self.run("return [innerWidth, innerHeight]")
        self.call("POST", "/window/rect", {"width": 2 * width - inner[0],
                                           "height": 2 * height - inner[1]})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.call("DELETE", "")
        finally:
            self.driver.terminate()
            self.driver.wait(10)
            self.driver.stdout.close()
            self.profile.cleanup()

    def call(self, method, path, body=None):
        data = None if method != "POST" else json.dumps(body or {}).encode()
        request = urllib.request.Request(self.address + self.session + path, data, method=method,
                                         headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(json.load(error)["value"]["message"]) from None

    def open(self, url):
        self.call("POST", "/url", {"url": url})

    def run(self, script, *arguments):
        """Runs the body of a function in the page, and waits for a promise that it returns."""
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def frame(self):
        """Waits until what was changed is drawn."""
        self.run("return new Promise(done => requestAnimationFrame(() =>"
                 " requestAnimationFrame(() => done(null))))")

    def keys(self, text):
        """Types into whatever has the focus."""
        strokes = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keys",
                                                    "actions": strokes}]})
        self.frame()

    def element(self, selector):
        return self.call("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector):
        self.call("POST", f"/element/{self.element(selector)}/click")
        self.frame()

    def type(self, selector, text):
        self.call("POST", f"/element/{self.element(selector)}/value", {"text": text})
        self.frame()

    def click_at(self, x, y):
        at = {"type": "pointerMove", "x": round(x), "y": round(y), "duration": 0}
        press = [{"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]
        self.call("POST", "/actions", {"actions": [{"type": "pointer", "id": "mouse",
                                                    "actions": [at, *press]}]})
        self.frame()

    def wheel(self, x, y, by):
        self.call("POST", "/actions", {"actions": [{"type": "wheel", "id": "wheel", "actions": [
            {"type": "scroll", "x": x, "y": y, "deltaX": 0, "deltaY": by}]}]})
        self.frame()

    def messages(self):
        """What the console has shown since it was asked last, errors of scripts among it."""
        return [entry["message"] for entry in self.call("POST", "/se/log", {"type": "browser"})]

    def screenshot(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("GET", "/screenshot")))
