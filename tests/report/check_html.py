#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_html.py S2SCTL OUT DOCUMENT... - the HTML of each document, looked at with a real browser. `make check-html` calls it.

Headless Chromium, driven over a pipe by its DevTools protocol; needs nothing but Python's own modules. For each document, light
and dark, 1100 and 400 px wide: no message on the console, no request but the page's own, an element for every step, no horizontal scroll;
the Tab key reaches every step and Enter opens it; on paper everything is open. Pictures and PDFs are left in OUT for a person.
"""
import base64
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time

PATIENCE = 60  # seconds for one answer of the browser


class Browser:
    """One page of a headless browser."""

    def __init__(self, home):
        program = shutil.which("chromium") or shutil.which("chromium-browser") or sys.exit("check_html.py: there is no chromium")
        to_read, self.to_browser = os.pipe()
        self.from_browser, to_write = os.pipe()

        def be_three_and_four():
            os.dup2(to_read, 13)
            os.dup2(to_write, 14)
            os.dup2(13, 3)
            os.dup2(14, 4)
            for fd in (13, 14):
                os.close(fd)

        self.process = subprocess.Popen(
            [program, "--headless=new", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-background-networking",
             "--disable-dev-shm-usage", "--force-device-scale-factor=1", f"--user-data-dir={home}", "--remote-debugging-pipe"] +
            (["--no-sandbox"] if os.getuid() == 0 else []) + ["about:blank"],
            preexec_fn=be_three_and_four, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        self.rest, self.number, self.events, self.session = b"", 0, [], None
        target = next(t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def read(self, deadline):
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.from_browser], [], [], max(0, deadline - time.monotonic()))
            data = os.read(self.from_browser, 1 << 20) if ready else b""
            if not data:
                raise RuntimeError("the browser has gone silent")
            self.rest += data
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to_browser, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = self.read(deadline)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def wait_for(self, method):
        deadline = time.monotonic() + PATIENCE
        while not any(e.get("method") == method for e in self.events):
            self.events.append(self.read(deadline))

    def ask(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["text"])
        return answer["result"].get("value")

    def open(self, path, width, scheme):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", media="screen", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.events.clear()
        self.call("Page.navigate", url=f"file://{path}")
        self.wait_for("Page.loadEventFired")

    def press(self, key, code):
        for kind in ("rawKeyDown", "char", "keyUp") if key == "Enter" else ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code,
                      text="\r" if kind == "char" else "")

    def close(self):
        try:
            self.session = None
            self.call("Browser.close")
        except (RuntimeError, OSError):
            pass
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def steps_of(document):
    """How many steps each document tells: those of a plan, or of all the plans in a journal."""
    with open(document, encoding="utf-8") as f:
        records = [json.loads(line) for line in f]
    plans = [r for r in records if r.get("kind") == "s2sctl.plan"] + [r["plan"] for r in records if r.get("type") == "run"]
    return [s["address"] for p in plans for s in p["steps"]]


def heard(browser, page):
    """What a quiet page does not do: talk on the console, ask for anything."""
    wrong = []
    for e in browser.events:
        method, params = e.get("method"), e.get("params", {})
        if method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
            wrong.append(f"the console says {json.dumps(params)[:200]}")
        if method == "Network.requestWillBeSent" and params["request"]["url"] != f"file://{page}":
            wrong.append(f"a request to {params['request']['url'][:200]}")
    return wrong


def walk(browser, count):
    """Presses Tab until every step had the focus; Enter opens the first and the last."""
    seen, wrong = [], []
    for _ in range(count * 3 + 50):
        browser.press("Tab", 9)
        at = browser.ask("(e => e && e.matches('summary') && e.parentNode.dataset.step !== undefined ?"
                         " e.parentNode.id : null)(document.activeElement)")
        if at and at not in seen:
            seen.append(at)
            if len(seen) in (1, count):
                browser.press("Enter", 13)
                if not browser.ask("document.activeElement.parentNode.open"):
                    wrong.append(f"Enter does not open {at}")
        if len(seen) == count:
            break
    order = browser.ask("[...document.querySelectorAll('[data-step]')].map(e => e.id)")
    if seen != order:
        wrong.append(f"Tab reaches {len(seen)} of {count} steps, or in another order")
    return wrong


def look(browser, page, out, name, addresses, is_hostile):
    wrong = []
    for scheme in ("light", "dark"):
        for width in (1100, 400):
            browser.open(page, width, scheme)
            told = browser.ask("[...document.querySelectorAll('[data-step]')].map(e => e.dataset.step)")
            if len(told) != len(addresses) or (not is_hostile and sorted(told) != sorted(addresses)):
                wrong.append(f"{scheme} {width}: {len(told)} elements for {len(addresses)} steps")
            if browser.ask("document.documentElement.scrollWidth > innerWidth"):
                wrong.append(f"{scheme} {width}: scrolls to the side")
            wrong += [f"{scheme} {width}: {w}" for w in heard(browser, page)]
            if browser.ask("document.querySelectorAll('script, iframe, img, object, embed, link, form').length"):
                wrong.append("an element that has no place here")
            paper = browser.ask("getComputedStyle(document.body).backgroundColor")
            if (scheme == "dark") != (sum(map(int, paper[4:-1].split(","))) < 384):
                wrong.append(f"{scheme}: the page is {paper}")
            browser.ask("document.querySelectorAll('[data-step]').forEach((e, i) => e.open = i % 4 == 3)")
            if browser.ask("document.documentElement.scrollWidth > innerWidth"):
                wrong.append(f"{scheme} {width}: scrolls to the side when opened")
            shot = browser.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
            with open(f"{out}/{name}-{scheme}-{width}.png", "wb") as f:
                f.write(base64.b64decode(shot["data"]))
    browser.open(page, 1100, "light")
    wrong += walk(browser, len(addresses))
    browser.open(page, 1100, "light")
    browser.call("Emulation.setEmulatedMedia", media="print")
    browser.ask("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")
    closed = browser.ask("[...document.querySelectorAll('.step > .body')].filter(e => !e.checkVisibility({contentVisibilityAuto: true})).length")
    if closed:
        wrong.append(f"{closed} steps are closed on paper")
    with open(f"{out}/{name}.pdf", "wb") as f:
        f.write(base64.b64decode(browser.call("Page.printToPDF", printBackground=True)["data"]))
    return wrong


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    s2sctl, out = sys.argv[1:3]
    out = os.path.abspath(out)
    os.makedirs(out, exist_ok=True)
    failed = 0
    with tempfile.TemporaryDirectory(prefix="s2sctl-browser.", ignore_cleanup_errors=True) as home:
        browser = Browser(home)
        try:
            for document in sys.argv[3:]:
                name = os.path.basename(document).split(".")[0]
                page = f"{out}/{name}.html"
                with open(page, "wb") as f:
                    subprocess.run([s2sctl, "show", document, "--format", "html"], check=True, stdout=f)
                addresses = steps_of(document)
                wrong = look(browser, page, out, name, addresses, name == "hostile")
                print(f"{'FAIL' if wrong else 'ok  '}  {name}: {len(addresses)} steps")
                for w in wrong[:20]:
                    print(f"      {w}")
                failed += bool(wrong)
        finally:
            browser.close()
    print(f"pictures are in {out}")
    sys.exit(1 if failed else 0)


main()
