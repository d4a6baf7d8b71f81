#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds pattimpex in one of its kinds: build.py [--quiet] release | sanitized | fuzz."""
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# kind -> build directory, options of meson, environment
KINDS = {
    "release": ("build", ["--buildtype=release"], {}),
    "sanitized": ("build-san", ["--buildtype=debugoptimized", "-Db_sanitize=address,undefined", "-Dtest_hooks=true"], {}),
    "fuzz": ("build-fuzz", ["--buildtype=debugoptimized", "-Db_sanitize=address,undefined", "-Db_lundef=false", "-Dfuzz=true"],
             {"CC": "clang-14"}),
}
CONTINUOUS = os.environ.get("CI") == "true"


def directory(kind):
    return ROOT / KINDS[kind][0]


def configure(kind, run):
    """Makes the build directory, or brings it up to the options of its kind."""
    name, options, environment = KINDS[kind]
    again = ["--reconfigure"] if (ROOT / name / "build.ninja").exists() else []
    werror = f"-Dwerror={'true' if CONTINUOUS else 'false'}"
    return run(["meson", "setup", *again, str(ROOT / name), *options, werror], environment)


def build(kind, quiet=False):
    """Configures and builds; True when it worked. Quiet: only what went wrong is shown."""
    def run(command, environment):
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, text=True, errors="replace",
                              stdout=subprocess.PIPE if quiet else None, stderr=subprocess.STDOUT)
        if quiet and done.returncode:
            sys.stdout.write(done.stdout)
        return done.returncode == 0
    return configure(kind, run) and run(["ninja", "-C", str(directory(kind))], KINDS[kind][2])


if __name__ == "__main__":
    arguments = sys.argv[1:]
    wanted = [a for a in arguments if a != "--quiet"]
    if len(wanted) != 1 or wanted[0] not in KINDS:
        sys.exit(__doc__)
    sys.exit(0 if build(wanted[0], "--quiet" in arguments) else 1)
