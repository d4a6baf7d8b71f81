#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""One large file up and down, and many small ones down, between a folder and a bucket on loopback, beside rclone.

    bench/s3.py [--mib 256] [--files 500] [--turns 3]

The server (tests/s3) runs in one process of node and is the limit of all of it, so the CPU time of the clients is told too. The small files are
fetched by a task without a pattern: each is in the filestore, and known to the database, when it is counted; rclone only writes them.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "flows"))
import usage  # noqa: E402 (the path comes first)
from s3_servers import KEY, SECRET, S3rver  # noqa: E402

CONFIG = """
database: sqlite:bench.db
filestore: filestore
storages:
  drop: SETTINGS
import_tasks:
  in: {storage: drop, path: small, after_import: keep, stable_for: 0}
"""
SMALL_BYTES = 10_000


def timed(command):
    start = time.monotonic()
    cpu, _, _ = usage.run(command)
    return time.monotonic() - start, cpu


def best(turns, command, before):
    results = []
    for _ in range(turns):
        before()
        results.append(timed(command))
    return min(results)


class Bench:
    def __init__(self, folder, server, given):
        self.folder, self.given = folder, given
        self.bucket = folder / "bucket"
        (folder / "pattimpex.yaml").write_text(CONFIG.replace("SETTINGS", server.settings(self.bucket)))
        self.ours = [given.program, "-c", folder / "pattimpex.yaml"]
        os.environ.update({"SECRET": SECRET, "RCLONE_CONFIG": os.devnull, "RCLONE_CONFIG_B_TYPE": "s3", "RCLONE_CONFIG_B_PROVIDER": "Other",
                           "RCLONE_CONFIG_B_ENDPOINT": server.endpoint, "RCLONE_CONFIG_B_ACCESS_KEY_ID": KEY,
                           "RCLONE_CONFIG_B_SECRET_ACCESS_KEY": SECRET})
        os.environ.pop("AWS_CA_BUNDLE", None)
        self.remote = f"b:files/{self.bucket.relative_to(server.root)}"

    def clean(self):
        """What a turn has left; and an empty database."""
        subprocess.run(["rm", "-rf", self.bucket / "up", self.folder / "back", self.folder / "bench.db", self.folder / "filestore"], check=True)
        (self.folder / "bench.db").touch()

    def compare(self, what, ours, theirs):
        results = [best(self.given.turns, command, self.clean) for command in (ours, theirs)]
        (wall, cpu), (peer_wall, peer_cpu) = results
        print(f"  {what:<24} {wall:6.2f} s ({cpu:5.2f} CPU)   rclone {peer_wall:6.2f} s ({peer_cpu:5.2f} CPU)   {peer_wall / wall:5.2f} times as fast")

    def run(self):
        big, back = self.folder / "big", self.folder / "back"
        big.write_bytes(os.urandom(self.given.mib * 1024 * 1024))
        (self.bucket / "small").mkdir(parents=True)
        for number in range(self.given.files):
            (self.bucket / "small" / f"{number:05}.csv").write_bytes(os.urandom(SMALL_BYTES))
        os.link(big, self.bucket / "big")
        self.compare(f"{self.given.mib} MiB up", [*self.ours, "storage", "put", "drop", big, "up/big"], ["rclone", "copyto", big, f"{self.remote}/up/big"])
        self.compare(f"{self.given.mib} MiB down", [*self.ours, "storage", "get", "drop", "big", "-o", back], ["rclone", "copyto", f"{self.remote}/big", back])
        self.compare(f"{self.given.files} x 10 KB down", [*self.ours, "run"], ["rclone", "copy", f"{self.remote}/small", back])


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--mib", type=int, default=256)
    options.add_argument("--files", type=int, default=500)
    options.add_argument("--turns", type=int, default=3)
    options.add_argument("--program", default=os.environ.get("PATTIMPEX", str(ROOT / "build" / "pattimpex")))
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        server = S3rver(name)
        try:
            Bench(pathlib.Path(name), server, given).run()
        finally:
            server.stop()


if __name__ == "__main__":
    main()
