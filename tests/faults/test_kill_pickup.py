# SPDX-License-Identifier: Apache-2.0
"""test_kill.py with folders in folders, ready files, an archive and receipts: SIGKILL at each step of these, the first time it is passed."""
import functools
import re
import tempfile
import zipfile

from test_kill import FILES, Shop, kill_at_first_passes, killed_and_run_again, undisturbed_in

OF_PICKUP = ("fetch", "remote", "storage.moved", "receipt", "archive", "filestore.")
SETTINGS = "path: in, recursive: true, ready_file: '${obj.name}.done', stable_for: 0, receipt_path: receipts,"


class Tree(Shop):
    def outcome(self):
        """When a file was done with is told by its receipt, and differs."""
        outcome = super().outcome()
        for name, text in outcome["remote files"].items():
            outcome["remote files"][name] = re.sub(r'"time": "[^"]+"', "", text)
        return outcome


def shop_in(folder):
    """Three files in a sub-folder, one with the bytes of another, and an archive, ready: they are taken together. A last file never is."""
    shop = Tree(folder)
    config = shop.folder / "pattimpex.yaml"
    config.write_text(config.read_text().replace("path: in,", SETTINGS))
    (shop.folder / "drop" / "in" / "sub").mkdir()
    for name in list(FILES)[:2]:
        (shop.folder / "drop" / "in" / name).rename(shop.folder / "drop" / "in" / "sub" / name)
        shop.drop(f"sub/{name}.done", f"{name} is ready")
    shop.drop("sub/5.csv", FILES["1.csv"])
    shop.drop("sub/5.csv.done", "")
    with zipfile.ZipFile(shop.folder / "drop" / "in" / "4.zip", "w") as archive:
        for n in range(2):
            archive.writestr(zipfile.ZipInfo(f"4-{n}.csv"), f"email#key,name\nz{n}@x.test,Z{n}\n")
    shop.age(shop.folder / "drop" / "in" / "4.zip", 60)
    shop.drop("4.zip.done", "")
    return shop


@functools.cache
def undisturbed():
    with tempfile.TemporaryDirectory() as folder:
        return undisturbed_in(shop_in(folder))


def pytest_generate_tests(metafunc):
    if "kill_at" in metafunc.fixturenames:
        kill_at_first_passes(metafunc, undisturbed()[0], OF_PICKUP)


def test_undisturbed_run_is_as_expected():
    hooks, outcome = undisturbed()
    assert {"remote-ready-held", "remote-ready-put-away"} <= set(hooks)
    stored = hooks.index("fetch-stored")
    assert hooks[stored - 4:stored + 2] == ["filestore.written", *["filestore.renamed"] * 3, "fetch-stored", "fetch-committed"], "one commit for all"
    assert hooks.count("remote-held") == 4 and hooks.count("remote-taken") == hooks.count("remote-done") == 1
    assert sorted(outcome["remote files"]) == [
        "drop/done/4.zip", "drop/done/4.zip.done", "drop/done/sub/1.csv", "drop/done/sub/1.csv.done",
        "drop/done/sub/2.csv", "drop/done/sub/2.csv.done", "drop/done/sub/5.csv", "drop/done/sub/5.csv.done",
        "drop/errors/sub/2.csv", "drop/in/3.csv", "drop/out/partner.csv", "drop/receipts/4-0.csv.receipt.json",
        "drop/receipts/4-1.csv.receipt.json", "drop/receipts/4.zip.receipt.json", "drop/receipts/sub/1.csv.receipt.json",
        "drop/receipts/sub/2.csv.receipt.json", "drop/receipts/sub/5.csv.receipt.json"]


def test_kill(kill_at, tmp_path):
    killed_and_run_again(shop_in(str(tmp_path)), kill_at, undisturbed()[1])
