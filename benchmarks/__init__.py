"""Measurements of Shuke beside the limits of the machine it runs on (docs/performance.md).

An absolute figure of a shared machine means nothing; a ratio measured side by side in one run does. Every
measurement runs against an installation of its own (database, keys, web server), which is removed again.
"""
