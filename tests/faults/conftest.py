# SPDX-License-Identifier: Apache-2.0
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "flows"))
import postgres  # noqa: E402 (the folder above this one)


@pytest.fixture(scope="session")
def databases():
    with postgres.server() as url:
        yield postgres.Databases(url)
