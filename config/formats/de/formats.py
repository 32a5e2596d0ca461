"""German as Django writes it, but for a long day and a time with its day, too long for a column: days are numbers, as
German lists have them."""

DATE_FORMAT = "d.m.Y"
DATETIME_FORMAT = "d.m.Y H:i"
