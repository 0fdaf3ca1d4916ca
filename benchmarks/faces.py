"""What the faces cost: an MCP tool call against the library call, and how fast the review page shows a decision.

usage: python -m benchmarks.faces        (the browser part needs playwright and Chromium; it is left out without)
Prints medians in milliseconds, all in one run.
"""

from __future__ import annotations

import asyncio
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from fhirbridge.agents import mcp_server

VISIT = "Doctor: Any chest pain?\nPatient: No.\nDoctor: Fever?\nPatient: Yes, since yesterday.\n"
RUNS = 30


def main() -> int:
    """Measure and print."""
    direct, called = asyncio.run(_mcp())
    print(f"MCP tool call {called:.1f} ms, library call {direct:.1f} ms, overhead {called - direct:.1f} ms (target 50)")
    reacted = _page()
    print(
        f"review page shows a decision after {reacted:.1f} ms (target 100)" if reacted else "no browser: page left out"
    )
    return 0


async def _mcp() -> tuple[float, float]:
    from mcp import Client

    tools = mcp_server.Tools((Path.cwd(),))
    server = mcp_server.create([Path.cwd()])
    direct: list[float] = []
    called: list[float] = []
    async with Client(server) as client:
        for _ in range(RUNS):
            direct.append(_timed(lambda: tools.read_transcript(text=VISIT)))
            started = time.perf_counter()
            await client.call_tool("read_transcript", {"text": VISIT})
            called.append((time.perf_counter() - started) * 1000)
    return statistics.median(direct), statistics.median(called)


def _timed(work: Any) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def _page() -> float | None:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    if chromium is None:
        return None
    from tests.review.serving import running

    visit = Path(__file__).resolve().parent.parent / "fixtures" / "transcripts" / "lung_cancer_en" / "visit.txt"
    script = """async () => {
        const row = document.querySelector('#facts tbody tr.open');
        const done = new Promise((ready) => new MutationObserver(() => ready()).observe(row, {attributes: true}));
        const from = performance.now();
        row.querySelector('[data-verdict=accept]').click();
        await done;
        return performance.now() - from;
    }"""
    with tempfile.TemporaryDirectory() as out, sync_playwright() as play, running(Path(out)) as (base, gate, _):
        browser = play.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        page = browser.new_page()
        page.goto(f"{base}/?token={gate.token}")
        page.set_input_files("#files", str(visit))
        page.click("main form#drop button")
        page.wait_for_selector("#facts tbody tr", timeout=60_000)
        page.fill("#reviewer", "Dr Li")
        found = [float(page.evaluate(script)) for _ in range(15)]
        browser.close()
    return statistics.median(found)


if __name__ == "__main__":
    sys.exit(main())
