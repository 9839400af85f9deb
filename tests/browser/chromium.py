"""Finds the Chromium that the browser tests drive, and installs one where there is none.

Run as a script it makes sure that there is one: the system's, Playwright's own, or Debian's package where Playwright's
cannot be fetched.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def executable() -> str | None:
    """Path of a Chromium or Chrome, ``None`` where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


def install() -> str:
    """Install a Chromium and return its path."""
    try:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], timeout=600, check=False)
    except subprocess.TimeoutExpired:
        print("Playwright's Chromium did not come within ten minutes.", file=sys.stderr)
    if (found := executable()) is None and shutil.which("apt-get"):
        become = [] if os.geteuid() == 0 else ["sudo", "-n"]
        subprocess.run([*become, "apt-get", "update", "-qq"], check=False)
        subprocess.run([*become, "apt-get", "install", "-y", "-qq", "chromium"], check=False)
        found = executable()
    if found is None:
        sys.exit("The browser tests need Chromium: install it by your system's packages.")
    return found


if __name__ == "__main__":
    print(f"Chromium for the tests: {executable() or install()}")
