"""What tests/programs/next_moments answers, by croniter: run by the Python of the system, which Debian's package is for.

For each line "ZONE TIME EXPRESSION" the first moment after TIME, "never", or "change" where clocks change near one of both
moments. croniter counts local times without a zone here. With one, 1.3.5 is wrong around changes, and cron_test.cc has what is
right: in Berlin, "30 2 * * *" is an hour late on 29 March 2026, at 02:30 that no clock shows, and again on 26 October; "30 * * * *"
leaves out the second 02:30 of 25 October, two hours without a run.
"""
import datetime
import sys
import zoneinfo

import croniter

NEAR = 3 * 3600


def changes_near(zone, time):
    offsets = {datetime.datetime.fromtimestamp(time + by, zone).utcoffset() for by in (-NEAR, 0, NEAR)}
    return len(offsets) > 1


def answer(zone, time, expression):
    local = datetime.datetime.fromtimestamp(time, zone).replace(tzinfo=None)
    try:
        found = croniter.croniter(expression, local).get_next(datetime.datetime)
    except croniter.CroniterBadDateError:
        return "never"
    moment = int(found.replace(tzinfo=zone).timestamp())
    skipped = datetime.datetime.fromtimestamp(moment, zone).replace(tzinfo=None) != found
    return "change" if skipped or changes_near(zone, time) or changes_near(zone, moment) else str(moment)


for line in sys.stdin:
    name, start, text = line.split(maxsplit=2)
    print(answer(zoneinfo.ZoneInfo(name), int(start), text.strip()))
