#!/usr/bin/env python
"""Shuke's commands: `python manage.py help`."""

import os
import signal
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    # Ended from outside, a command still leaves by the door: it may be the one that stops the database.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda caught, frame: sys.exit(128 + caught))
    # A terminal is spoken to in its own language, whatever the pages begin with.
    spoken = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    os.environ.setdefault("TERMINAL_LANGUAGE", "zh-hans" if spoken.startswith("zh") else "en")
    execute_from_command_line(sys.argv)
