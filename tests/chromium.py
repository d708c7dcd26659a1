"""The browser that the browser tests drive; `python -m tests.chromium` installs it where it may."""

import os
import shutil
import subprocess

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKAGES = ("chromium", "fonts-noto-cjk")


def find() -> str | None:
    """The path of a Chromium on this machine."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def install() -> None:
    """Install Debian's Chromium when we are root; otherwise say in one line what will not be run."""
    if find():
        return
    apt = shutil.which("apt-get")
    if os.geteuid() == 0 and apt:
        print("Installing Chromium for the browser tests …", flush=True)
        for arguments in (["update"], ["install", "-y", "--no-install-recommends", *PACKAGES]):
            subprocess.run(
                [apt, "-qq", *arguments],
                env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
                stdout=subprocess.DEVNULL,
                check=False,
            )
    if not find():
        print("Browser tests are not run: there is no Chromium and it could not be installed.", flush=True)


if __name__ == "__main__":
    install()
