#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The whole suite: test.py [GROUP...]. Each group's own output, then its counts and time; the sum on the last line."""
import json
import os
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "flows"))
import postgres  # noqa: E402 (the folder above)
from build import CONTINUOUS, ROOT, build, directory

PYTHON = os.environ.get("PYTHON", "/usr/bin/python3")
SANITIZED = directory("sanitized") / "pattimpex"
RELEASE = directory("release") / "pattimpex"
# A finding of a sanitizer has an exit status that the program never has.
SANITIZERS = {
    "ASAN_OPTIONS": "exitcode=99:detect_stack_use_after_return=1:strict_string_checks=1",
    "LSAN_OPTIONS": "exitcode=99",
    "UBSAN_OPTIONS": "exitcode=99:halt_on_error=1:print_stacktrace=1",
}


def stream(command, **environment):
    """Runs a command, shows its output as it comes; (exit status, output)."""
    process = subprocess.Popen([str(c) for c in command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               errors="replace", env={**os.environ, "LC_ALL": "C.UTF-8", **SANITIZERS, **environment})
    lines = []
    for line in process.stdout:
        sys.stdout.write(line)
        sys.stdout.flush()
        lines.append(line)
    return process.wait(), "".join(lines)


def summed(status, output):
    """Counts from a last line "N passed, N failed"; a runner that breaks without one is a failure."""
    found = re.findall(r"^(\d+) passed, (\d+) failed$", output, re.M)
    passed, failed = map(int, found[-1]) if found else (0, 0)
    return passed, failed or (status != 0 or not found)


def group_build():
    built = [build(kind, quiet=True) for kind in ("release", "sanitized")]
    return built.count(True), built.count(False)


def group_lint():
    return summed(*stream([PYTHON, "scripts/lint/lint.py", *(["--all"] if CONTINUOUS else [])]))


def group_unit():
    """meson counts programs; people count what is in them, so the programs' own lines are counted."""
    where = directory("sanitized")
    status, _ = stream(["meson", "test", "-C", where, "--no-rebuild", "--print-errorlogs", "--timeout-multiplier", "10"])
    passed = failed = 0
    log = where / "meson-logs" / "testlog.json"
    for program in map(json.loads, log.read_text().splitlines()) if log.exists() else []:
        good = len(re.findall(r"^ok ", program["stdout"], re.M))
        bad = len(re.findall(r"^not ok ", program["stdout"], re.M))
        broken = program["result"] != "OK"
        passed += good or not broken
        failed += bad or broken
    return passed, failed or (status != 0 or not passed)


def group_cases():
    cases = [PYTHON, "tests/cases/run.py", "--binary"]
    results = [stream([*cases, SANITIZED]), stream([*cases, RELEASE, "--db", os.environ[postgres.VARIABLE]])]
    passed, failed = map(sum, zip(*(summed(*result) for result in results)))
    return passed, failed


def group_conformance():
    check = [PYTHON, "tests/conformance/check.py", "--binary"]
    on_postgres = ["--db", os.environ[postgres.VARIABLE]]
    with tempfile.NamedTemporaryFile() as spread:
        results = [stream([*check, SANITIZED]), stream([*check, "tests/conformance/by_plan.py"], PATTIMPEX=str(SANITIZED)),
                   stream([*check, "tests/conformance/by_chunks.py"], PATTIMPEX=str(RELEASE), CHUNKS_COUNT=spread.name),
                   stream([*check, SANITIZED, *on_postgres]),
                   # what depends on how records are told and spread, not all
                   stream([PYTHON, "tests/conformance/run.py", "--binary", "tests/conformance/by_plan.py", *on_postgres, "o2m", "m2o", "m2m", "key"],
                          PATTIMPEX=str(RELEASE)),
                   stream([PYTHON, "tests/conformance/run.py", "--binary", "tests/conformance/by_chunks.py", *on_postgres, "key", "chunk"],
                          PATTIMPEX=str(RELEASE))]
        n_spread = os.path.getsize(spread.name)
    print(f"{n_spread} files were spread over parallel chunks")
    passed, failed = map(sum, zip(*(summed(*result) for result in results)))
    return passed, failed or n_spread == 0


def group_tour():
    return summed(*stream([PYTHON, "tests/tour/tour.py", "--binary", RELEASE]))


def pytest(folder, *options):
    status, output = stream([PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short", "-W", "ignore", *options, folder],
                            PATTIMPEX=str(SANITIZED), PATTIMPEX_RELEASE=str(RELEASE))
    counts = {word: int(n) for n, word in re.findall(r"(\d+) (passed|failed|error)", (output.splitlines() or [""])[-1])}
    failed = counts.get("failed", 0) + counts.get("error", 0)
    return counts.get("passed", 0), failed or status != 0


def group_flows():
    """A file as a whole is one processor's: its servers are shared by its tests."""
    return pytest("tests/flows", "-n", str(min(os.cpu_count() or 1, 4)), "--dist", "loadfile")


def group_faults():
    return pytest("tests/faults")


GROUPS = {name[len("group_"):]: function for name, function in list(globals().items()) if name.startswith("group_")}


# Those that need a PostgreSQL server: one for all of them, empty databases for each test.
ON_POSTGRES = {"unit", "cases", "conformance", "flows", "faults"}


def run(names):
    if not ON_POSTGRES.intersection(names):
        return run_groups(names)
    with postgres.server() as url:
        os.environ[postgres.VARIABLE] = url
        return run_groups(names)


def run_groups(names):
    results = [("packages", 0, 0, int(os.environ.get("PACKAGES_SECONDS", "0")))]
    for name in names:
        print(f"---- {name}", flush=True)
        start = time.monotonic()
        try:
            passed, failed = GROUPS[name]()
        except Exception as error:      # one group never stops the others
            print(f"{name}: {type(error).__name__}: {error}")
            passed, failed = 0, 1
        results.append((name, passed, int(failed), time.monotonic() - start))
        print(f"---- {name}: {passed} passed, {int(failed)} failed in {results[-1][3]:.0f} s", flush=True)
        if name == "build" and failed:
            break                       # nothing to test
    print()
    for name, passed, failed, seconds in results:
        print(f"{name:<12} {passed:>6} passed {failed:>4} failed {seconds:>6.0f} s")
    passed, failed = sum(r[1] for r in results), sum(r[2] for r in results)
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    unknown = [name for name in sys.argv[1:] if name not in GROUPS]
    if unknown:
        sys.exit(f"test.py: no group {unknown[0]}; there are: {' '.join(GROUPS)}")
    wanted = sys.argv[1:] or list(GROUPS)
    sys.exit(run(wanted if "build" in wanted else ["build", *wanted]))
