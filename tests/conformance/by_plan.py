#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The program ($PATTIMPEX), but that an import is made by a plan: a dry run writes the plan, the plan is applied. As the binary of
run.py it shows that a plan does to the database exactly what the import does:

    PATTIMPEX=build/pattimpex tests/conformance/run.py --binary tests/conformance/by_plan.py
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

PROGRAM = os.environ["PATTIMPEX"]


def call(*arguments):
    return subprocess.run([PROGRAM, *map(str, arguments)], stdout=subprocess.PIPE)


def main(arguments):
    if "import" not in arguments or "--json" not in arguments:
        return subprocess.run([PROGRAM, *arguments]).returncode
    at = arguments.index("import")
    with tempfile.TemporaryDirectory() as folder:
        plan = pathlib.Path(folder) / f"plan.{os.environ.get('PLAN_FORMAT', 'csv')}"
        planned = call(*arguments, "--dry-run", "--plan", plan)
        sys.stdout.buffer.write(planned.stdout)
        sys.stdout.flush()
        if not plan.exists():           # the file was refused
            return planned.returncode
        applied = call(*arguments[:at], "import", "--apply", plan, "--json")
    summary = json.loads(applied.stdout)
    if summary["state"] != "done":
        print(f"the plan was not applied: {summary}", file=sys.stderr)
        return 99
    return planned.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
