"""The console's lists of this app."""

from members.admin import cases, channels, imports, orders, people

__all__ = ["cases", "channels", "imports", "orders", "people"]
