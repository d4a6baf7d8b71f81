#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cron expressions are due when an independent implementation (python3-croniter) says, over ten years of minutes in UTC.

    test_croniter.py PROGRAM [SEED]        PROGRAM: schedule_times

Where croniter is no cron, in days of month and of week that are both given: it takes "*/2" for a list of days like any other, so for alternatives
(cron does so when neither begins with "*"); it takes a list of all days for "*"; and it is never due when one of the alternatives never is
("0 0 31 apr wed"). So alternatives are asked for one by one.
"""
import datetime
import itertools
import random
import subprocess
import sys

from croniter import CroniterBadDateError, croniter

BEGIN = int(datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc).timestamp())
END = int(datetime.datetime(2034, 1, 1, tzinfo=datetime.timezone.utc).timestamp())
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
DAYS = "sun mon tue wed thu fri sat".split()
# All their times in ten years; some 100,000 in all.
WHOLE = ["7 */5 * * *", "0 6 * * mon-fri", "30 2 29 2 *", "0 0 13 * fri", "15,45 3-9/3 1-15/2 * *", "0 12 31 * *", "5/20 4 * jan-mar,dec sun", "59 23 28-31 * *",
         "*/17 */7 */9 * *", "0 0 */2 * mon", "0 0 1 */5 */3", "11 11 11 11 *", "0 */6 * feb 7", "23 0-23/5 * 2-10/4 0,3,6",
         "*/20 6-9 * * mon-sat"]
RANDOM = 1500
FIELDS = [(0, 59, None), (0, 23, None), (1, 31, None), (1, 12, MONTHS), (0, 6, DAYS)]


def random_item(dice, low, high, names):
    def shown(value):
        return names[value - low] if names and dice.random() < 0.4 else str(value)
    first = dice.randint(low, high)
    last = dice.randint(first, high)
    kind = dice.random()
    if kind < 0.45:
        return shown(first)
    if kind < 0.7:
        return f"{shown(first)}-{shown(last)}"
    if kind < 0.85:
        return f"{first}-{last}/{dice.randint(1, max(1, last - first))}"
    return f"*/{dice.randint(1, high)}"


def random_expression(dice):
    fields = []
    for low, high, names in FIELDS:
        if dice.random() < 0.4:
            fields.append("*")
        else:
            fields.append(",".join(random_item(dice, low, high, names) for _ in range(dice.choice([1, 1, 1, 2, 3]))))
    return " ".join(fields)


def alternatives(expression):
    minute, hour, day, month, weekday = expression.split()
    if day.startswith("*") or weekday.startswith("*"):
        return [expression]
    return [f"{minute} {hour} {day} {month} *", f"{minute} {hour} * {month} {weekday}"]


def times_of_croniter(expression, after):
    times = croniter(expression, after, day_or=False)
    try:
        while True:
            yield int(times.get_next(float))
    except CroniterBadDateError:    # never
        return


def next_of_croniter(expression, after):
    return min((when for part in alternatives(expression) for when in itertools.islice(times_of_croniter(part, after), 1)), default=0)


def all_of_croniter(expression):
    parts = (itertools.takewhile(lambda when: when <= END, times_of_croniter(part, BEGIN)) for part in alternatives(expression))
    return sorted({when for part in parts for when in part})


def main(program, seed):
    dice = random.Random(seed)
    print(f"# seed {seed}")
    one = [(random_expression(dice), dice.randrange(BEGIN // 60, END // 60) * 60) for _ in range(RANDOM)]
    asked = [f"UTC|{e}|{BEGIN}|{END}" for e in WHOLE] + [f"UTC|{e}|{after}|0" for e, after in one]
    answers = subprocess.run([program], input="\n".join(asked) + "\n", text=True, capture_output=True, check=True).stdout.splitlines()
    wrong = []
    for expression, answer in zip(WHOLE, answers):
        if list(map(int, answer.split())) != all_of_croniter(expression):
            wrong.append(f"{expression}: other times in ten years")
    for (expression, after), answer in zip(one, answers[len(WHOLE):]):
        expected = next_of_croniter(expression, after)
        if int(answer) != expected:
            wrong.append(f"{expression} after {after}: {answer}, croniter says {expected}")
    print("\n".join(wrong[:20]))
    print(f"{'not ok' if wrong else 'ok'} 1 - {len(asked)} expressions, {sum(len(a.split()) for a in answers)} times")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 2026))
