# SPDX-License-Identifier: Apache-2.0
"""test_kill.py with the filestore on a storage: SIGKILL between the rows that tell of its bytes and the bytes themselves."""
import functools
import tempfile

from test_kill import CONFIG, Shop, kill_at_first_passes, killed_and_run_again, undisturbed_in

DEPOT = CONFIG.replace("filestore: filestore", "filestore: depot").replace("storages:\n", "storages:\n  depot: {type: file, directory: kept}\n")


class Depot(Shop):
    def configure(self, text):
        (self.folder / "kept").mkdir()
        super().configure(DEPOT)

    def kept(self):
        return {"".join(path.relative_to(self.folder / "kept").parts): path for path in (self.folder / "kept").rglob("*") if path.is_file()}


@functools.cache
def undisturbed():
    with tempfile.TemporaryDirectory() as folder:
        return undisturbed_in(Depot(folder))


def pytest_generate_tests(metafunc):
    if "kill_at" in metafunc.fixturenames:
        kill_at_first_passes(metafunc, undisturbed()[0], ("filestore.", "fetch", "report"))


def test_bytes_are_on_the_storage_alone(tmp_path):
    shop = Depot(tmp_path)
    assert undisturbed_in(shop)[1]["jobs that did not end well"] == []
    wanted = {sha256 for (sha256,) in shop.rows("SELECT sha256 FROM pattimpex_attachment")}
    assert set(shop.kept()) == wanted and len(wanted) == 5
    assert not (shop.folder / "filestore").exists() and not (shop.folder / "depot").exists()
    assert shop.rows("SELECT count(*) FROM pattimpex_blob_piece") == [(0,)]


def test_kill(kill_at, tmp_path):
    shop = Depot(tmp_path)
    killed_and_run_again(shop, kill_at, undisturbed()[1])
    assert set(shop.kept()) >= {sha256 for (sha256,) in shop.rows("SELECT sha256 FROM pattimpex_attachment")}


def test_bytes_that_a_killed_program_took_away_are_put_again(tmp_path):
    """The row is as old as what the collector looks at; the file that it was about is gone."""
    shop = Depot(tmp_path)
    shop.run()
    sha256, = shop.rows("SELECT sha256 FROM pattimpex_attachment WHERE name = '1.csv'")[0]
    shop.kept()[sha256].unlink()
    shop.rows("UPDATE pattimpex_blob SET touched = touched - 90000000000")
    (shop.folder / "drop" / "done" / "1.csv").rename(shop.folder / "drop" / "in" / "again.csv")
    shop.run()
    assert sha256 in shop.kept()
    assert shop.rows("SELECT state FROM pattimpex_attachment WHERE name = 'again.csv'") == [("done",)]
