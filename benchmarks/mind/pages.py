"""What the pages of runs do in a real Chromium: load, step, play, keys, what they ask for, whether all can use them.

    pip install playwright && npm pack axe-core && tar xzf axe-core-*.tgz
    aixi run tiger --html pages/tiger.html
    python benchmarks/mind/pages.py --axe package/axe.min.js --shots shots --table benchmarks/mind/pages.md pages/*.html

It fails if a page writes to the console, asks for anything, is wider than a phone, or breaks a rule of axe-core.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

LIGHT, DARK, PHONE = "light", "dark", "phone"
WIDE, NARROW = {"width": 1360, "height": 900}, {"width": 390, "height": 844}
STEPS = 50
MOST_MEGABYTES, MOST_SECONDS = 20.0, 2.0

INTERACTIVE = "() => new Promise(done => requestAnimationFrame(() => setTimeout(() => done(performance.now()), 0)))"
STEPPING = """async (steps) => {
    const frame = () => new Promise(requestAnimationFrame);
    let worst = 0;
    for (let i = 0; i < steps; i++) {
        const before = performance.now();
        document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowRight", bubbles: true}));
        document.body.offsetHeight;
        worst = Math.max(worst, performance.now() - before);
        await frame();
    }
    return worst;
}"""


class Result(NamedTuple):
    """What was measured of a page."""

    page: str
    cycles: int
    moments: int
    megabytes: float
    interactive: float  # seconds from the start of the navigation to the first frame with everything in it
    slowest_step: float  # milliseconds, script and layout
    faults: list[str]


def watched(browser: Browser, faults: list[str], **options: Any) -> Page:
    """A page whose messages and requests are faults, but for the file itself."""
    page = browser.new_context(**options).new_page()
    page.on("console", lambda message: faults.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: faults.append(f"error: {error}"))
    page.on("request", lambda r: None if r.url.startswith(("file:", "data:")) else faults.append(f"request: {r.url}"))
    return page


def cycle(page: Page) -> int:
    """Where the page is."""
    return int(page.locator("#cycle").inner_text().replace(",", ""))


def kept(page: Page) -> list[int]:
    """The cycles in the page."""
    found = page.evaluate("JSON.parse(document.getElementById('data').textContent).steps.cycle")
    return [int(each) for each in found]


def faults_of_keys(page: Page, cycles: list[int]) -> Iterator[str]:
    """Press each key, and say what did not come of it."""
    expected = [
        ("End", cycles[-1]),
        ("ArrowLeft", cycles[-2]),
        ("ArrowRight", cycles[-1]),
        ("Shift+ArrowLeft", cycles[-11]),
        ("Shift+ArrowRight", cycles[-1]),
        ("Home", cycles[0]),
    ]
    for key, where in expected:
        page.keyboard.press(key)
        if cycle(page) != where:
            yield f"key {key}: at cycle {cycle(page)}, not {where}"
    page.keyboard.press("]")
    later = cycle(page)
    if later == cycles[0] or not page.locator("#decision:not(.absent)").count():
        yield f"key ]: at cycle {later}"
    page.keyboard.press("]")
    page.keyboard.press("[")
    if cycle(page) != later:
        yield f"key [: at cycle {cycle(page)}, not {later}"
    page.keyboard.press("?")
    if not page.locator("#keys").is_visible():
        yield "key ?: no help"
    page.keyboard.press("Escape")
    if page.locator("#keys").is_visible():
        yield "key Escape: the help stays"


def faults_of_playing(page: Page) -> Iterator[str]:
    """Play for a while."""
    page.keyboard.press("Home")
    page.select_option("#speed", "25")
    page.locator("#h-world").click()
    before = cycle(page)
    page.keyboard.press("Space")
    page.wait_for_timeout(1500)
    page.keyboard.press("Space")
    stopped = cycle(page)
    if not before + 10 <= stopped:
        yield f"playing went from cycle {before} to {stopped}"
    page.wait_for_timeout(600)
    if cycle(page) != stopped:
        yield "it plays on after a pause"
    if f"#c={stopped}" not in page.url:
        yield f"the address is {page.url[-20:]} at cycle {stopped}"


def faults_of_use(page: Page, axe: str, where: str) -> Iterator[str]:
    """What axe-core finds, with everything unfolded; and whether the page is wider than its window."""
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    page.evaluate(axe)
    found = page.evaluate("axe.run().then(result => result.violations.map(v => [v.id, v.nodes.map(n => n.html)]))")
    for rule, nodes in found:
        yield f"axe, {where}: {rule}: {len(nodes)} times, as {nodes[0][:120]}"
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        yield f"{where}: wider than the window"


def check(browser: Browser, path: Path, *, axe: str, shots: Path) -> Result:
    """Check one page, and take its pictures."""
    faults: list[str] = []
    address, name = path.resolve().as_uri(), path.stem
    page = watched(browser, faults, viewport=WIDE, color_scheme="light")
    page.goto(address)
    interactive = page.evaluate(INTERACTIVE) / 1000
    cycles = kept(page)
    moments = page.evaluate("Object.keys(JSON.parse(document.getElementById('data').textContent).moments)")
    full = sorted(map(int, moments))
    faults += faults_of_keys(page, cycles)
    page.keyboard.press("Home")
    slowest = page.evaluate(STEPPING, STEPS)
    if cycle(page) != cycles[min(STEPS, len(cycles) - 1)]:
        faults.append(f"{STEPS} steps led to cycle {cycle(page)}")
    faults += faults_of_playing(page)
    shown = full[2 * len(full) // 3] if full else cycles[-1]
    for theme, view in ((LIGHT, WIDE), (DARK, WIDE), (PHONE, NARROW)):
        scheme = "dark" if theme == DARK else "light"
        page = watched(browser, faults, viewport=view, color_scheme=scheme, reduced_motion="reduce")
        page.goto(f"{address}#c={shown}")
        page.wait_for_timeout(600)
        if cycle(page) != shown:
            faults.append(f"the address of cycle {shown} led to {cycle(page)}")
        page.screenshot(path=shots / f"{name}-{theme}.png", full_page=True)
        faults += faults_of_use(page, axe, theme)
        page.keyboard.press("?")
        faults += faults_of_use(page, axe, f"{theme}, help")
    size = path.stat().st_size / 1e6
    if size > MOST_MEGABYTES:
        faults.append(f"{size:.1f} MB")
    if interactive > MOST_SECONDS:
        faults.append(f"{interactive:.2f} s until it is interactive")
    return Result(name, len(cycles), len(full), size, interactive, slowest, faults)


def table(results: list[Result], version: str) -> str:
    """The results, for people."""
    heads = "| page | kept cycles | explained | MB | seconds until interactive | slowest of 50 steps, ms | faults |"
    rows = [
        f"| {r.page} | {r.cycles:,} | {r.moments:,} | {r.megabytes:.2f} | {r.interactive:.2f} | "
        f"{r.slowest_step:.0f} | {len(r.faults)} |"
        for r in results
    ]
    return "\n".join(
        [
            "# Pages in Chromium",
            "",
            f"Chromium {version}, headless, by `benchmarks/mind/pages.py`: keys, playing, console, requests, width",
            "on a phone (390 pixels), the rules of axe-core in light, dark and on a phone, with everything unfolded",
            "and with the help open. Times are of a machine that others use too.",
            "",
            heads,
            "|---|---|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def main() -> int:
    """Check all pages that are named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="+", type=Path)
    parser.add_argument("--axe", required=True, type=Path)
    parser.add_argument("--shots", required=True, type=Path)
    parser.add_argument("--table", type=Path)
    given = parser.parse_args()
    given.shots.mkdir(parents=True, exist_ok=True)
    axe = given.axe.read_text()
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        results = [check(browser, path, axe=axe, shots=given.shots) for path in given.pages]
        text = table(results, re.match(r"\d+", browser.version)[0])  # type: ignore[index]
        browser.close()
    print(text)
    for result in results:
        for fault in result.faults:
            print(f"{result.page}: {fault}")
    if given.table:
        given.table.write_text(text)
    return int(any(result.faults for result in results))


if __name__ == "__main__":
    sys.exit(main())
