#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The program ($PATTIMPEX), but that an import is made by a task with process_multi, a row a chunk, wherever its rows are independent. As the binary of
run.py it shows that this does to the database exactly what the import does:

    PATTIMPEX=build/pattimpex tests/conformance/run.py --binary tests/conformance/by_chunks.py

CHUNKS_COUNT=FILE: a byte is appended for each file that was spread.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import yaml

PROGRAM = os.environ["PATTIMPEX"]
STATUS = {"done": 0, "failed": 1, "refused": 2}
PARTS = 4


def with_task(config, pattern, folder):
    """The configuration with an import task that takes what is in a folder."""
    return {**config,
            "patterns": {**config["patterns"], pattern: {**config["patterns"][pattern], "process_multi": PARTS, "chunk_size": 1}},
            "storages": {**(config.get("storages") or {}), "drop": {"type": "file", "directory": str(folder)}},
            "import_tasks": {"in": {"storage": "drop", "path": "", "pattern": pattern, "after_import": "keep"}}}


def note_spread(file):
    count = os.environ.get("CHUNKS_COUNT")
    if count and file.get("chunks"):
        with open(count, "a", encoding="ascii") as counted:
            counted.write(".")


def main(arguments):
    if "import" not in arguments or "--json" not in arguments:
        return subprocess.run([PROGRAM, *arguments]).returncode
    config_path = pathlib.Path(arguments[arguments.index("-c") + 1])
    pattern, file = arguments[arguments.index("import") + 1:][:2]
    with tempfile.TemporaryDirectory() as folder:
        dropped = pathlib.Path(folder) / pathlib.Path(file).name
        shutil.copy(file, dropped)
        os.utime(dropped, (0, 0))
        own = config_path.with_name("by_chunks.yaml")
        own.write_text(yaml.safe_dump(with_task(yaml.safe_load(config_path.read_text()), pattern, folder), sort_keys=False, allow_unicode=True))

        def call(*words):
            return subprocess.run([PROGRAM, "-c", own, *words], stdout=subprocess.PIPE, text=True)
        run = call("run")
        files = json.loads(call("files", "--json", "--limit", "1").stdout or "[]")
        if not files:           # nothing was begun
            return run.returncode
        shown = json.loads(call("files", str(files[0]["id"]), "--json").stdout)
    note_spread(shown)
    print(json.dumps(shown))
    return STATUS.get(shown["state"], 99)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
