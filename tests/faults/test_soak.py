# SPDX-License-Identifier: Apache-2.0
"""The short form of `./dev soak`: processes of `serve` are killed at step hooks, drawn by a seed, while files come in."""
import os
import pathlib
import random

import pytest

from soak import PROGRAM as RELEASE
from soak import Soak

PROGRAM = os.environ.get("PATTIMPEX", str(pathlib.Path(RELEASE).parents[1] / "build-san" / "pattimpex"))
SEEDS = [int(os.environ.get("PATTIMPEX_SEED", "1")), random.SystemRandom().randrange(2 ** 32)]
SECONDS = 20
GAPS = 15, 80           # hooks, over all processes, from one kill to the next
HOOKS = 20000           # more than are ever reached


def kills(seed):
    at, numbers = 0, []
    chosen = random.Random(seed)
    while at < HOOKS:
        at += chosen.randint(*GAPS)
        numbers.append(str(at))
    return ",".join(numbers)


@pytest.mark.parametrize("seed", SEEDS)
def test_killed_at_steps_every_file_is_imported_once(tmp_path, seed, capsys):
    with capsys.disabled():
        print(f"\nsoak: PATTIMPEX_SEED={seed} repeats the kills", flush=True)
    count = tmp_path / "hooks"
    soak = Soak(tmp_path, seed, PROGRAM, env={"PATTIMPEX_KILL_AT": kills(seed), "PATTIMPEX_KILL_COUNT": str(count)})
    try:
        soak.run(SECONDS, pause=(3, 6))
        soak.env.clear()                # from now on nobody is killed
        soak.kill_supervisor()
        soak.settle()
        soak.check()
    finally:
        soak.server.__exit__()
    print(soak.told())
    died = sum("died by signal 9" in log.read_text() for log in tmp_path.glob("log-*"))
    assert count.stat().st_size > GAPS[1] and died, "nobody was killed at a hook: a build without -Dtest_hooks=true?"
