"""`2026-11-22` and `2026-11-22 14:05`: no reader mistakes the month for the day, and a list stays in line."""

DATE_FORMAT = SHORT_DATE_FORMAT = "Y-m-d"
DATETIME_FORMAT = SHORT_DATETIME_FORMAT = "Y-m-d H:i"
TIME_FORMAT = "H:i"
