"""Spanish as Django writes it, but for a time with its day, too long for a column: the month is a short word."""

DATETIME_FORMAT = "j b Y, H:i"
