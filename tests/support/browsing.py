"""A real browser without a screen, where one is installed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FrameLocator, Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SLOW = 60_000
"""Milliseconds that a step may take on a busy machine."""
_KNOWN = "can escape its sandboxing"
"""What Chromium says of every external view of Airflow."""


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Run a browser; skip the test, with a word, where there is none."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"there is no browser here: install one of {', '.join(BROWSERS)}")
    driver = pytest.importorskip("playwright.sync_api", reason="there is no playwright here, which drives the browser")
    with driver.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def visit(browser: Browser, url: str, password: str, *, width: int = 1280) -> Iterator[tuple[Page, list[str]]]:
    """Log in to Airflow as its administrator; yield the window, and what it complains of."""
    context = browser.new_context(viewport={"width": width, "height": 900})
    context.set_default_timeout(SLOW)
    page = context.new_page()
    page.goto(url)
    page.fill("input[name=username]", "admin")
    page.fill("input[type=password]", password)
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Home").first.wait_for()
    complaints: list[str] = []

    def note(kind: str, text: str) -> None:
        if kind == "error" or (kind == "warning" and _KNOWN not in text):
            complaints.append(text)

    page.on("console", lambda message: note(message.type, message.text))
    page.on("pageerror", lambda error: note("error", str(error)))
    yield page, complaints
    context.close()


def shown_in_airflow(page: Page, heading: str) -> FrameLocator:
    """Return the frame in which Airflow shows the page, once it has this heading."""
    frame = page.frame_locator("iframe")
    frame.get_by_role("heading", name=heading, level=1, exact=True).wait_for()
    return frame
