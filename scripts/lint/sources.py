# SPDX-License-Identifier: Apache-2.0
"""Which files there are to look at."""
import functools
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


@functools.cache
def all_files():
    """Paths relative to the root: what git knows or would add; in a tree without git, everything but builds."""
    try:
        listed = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                                capture_output=True, text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        listed = [os.path.relpath(os.path.join(folder, name), ROOT) for folder, _, names in os.walk(ROOT) for name in names]
    return sorted(f for f in listed if not f.startswith(("build", ".git/")) and (ROOT / f).is_file())


def sources(*suffixes):
    return [f for f in all_files() if f.rpartition(".")[2] in suffixes]


def read(file):
    return (ROOT / file).read_text("utf-8", "replace")
