"""The console's lists of this app."""

from members.admin import channels, imports, orders, people

__all__ = ["channels", "imports", "orders", "people"]
