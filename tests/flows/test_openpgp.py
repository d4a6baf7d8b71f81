# SPDX-License-Identifier: Apache-2.0
"""Files that are encrypted with OpenPGP, both ways; gpg itself is the partner."""
import gzip
import os
import shutil
import subprocess
import tempfile

import pytest

from conftest import BAD, GOOD

PASSPHRASE = "correct horse"
SECRET = {"PGP_PASSPHRASE": PASSPHRASE}


class Keys:
    """A home of gpg with one key pair; the path is short, because a socket lies in it."""

    def __init__(self, name, passphrase=""):
        self.home, self.passphrase = tempfile.mkdtemp(prefix="gpg-"), passphrase
        self.gpg("--quick-generate-key", f"{name}@x.test", "future-default", "default", "never")
        listed = self.gpg("--list-secret-keys", "--with-colons").decode().splitlines()
        self.fingerprint = next(line.split(":")[9] for line in listed if line.startswith("fpr:"))
        self.public = self.gpg("--export", self.fingerprint)

    def gpg(self, *arguments, input=None):
        done = subprocess.run(["gpg", "--homedir", self.home, "--batch", "--yes", "--quiet", "--pinentry-mode", "loopback",
                               "--passphrase", self.passphrase, "--trust-model", "always", *arguments], input=input, capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def encrypt(self, data, to, *more):
        return self.gpg("--encrypt", "--recipient", to.fingerprint, *more, input=data.encode() if isinstance(data, str) else data)

    def stop(self):
        subprocess.run(["gpgconf", "--kill", "all"], env={**os.environ, "GNUPGHOME": self.home}, timeout=60)
        shutil.rmtree(self.home, ignore_errors=True)


@pytest.fixture(scope="module")
def pair():
    """We, with a passphrase, and the partner; each has the other's public key."""
    us, partner = Keys("us", PASSPHRASE), Keys("partner")
    us.gpg("--import", input=partner.public)
    partner.gpg("--import", input=us.public)
    yield us, partner
    us.stop()
    partner.stop()


@pytest.fixture
def shop(project, pair):
    us, _ = pair
    project.task = lambda more="decrypt: true", home=None, passphrase="\n  passphrase: ${PGP_PASSPHRASE}": project.config(
        f"openpgp:\n  home: {home or us.home}{passphrase}\n"
        "import_tasks:\n  in: {storage: drop, path: in, pattern: partner, after_import: move, move_path: done,"
        f" error_path: errors, {more}, retry: {{tries: 1}}}}\n")
    return project


def files(project):
    return project.rows("SELECT a.name, f.state, f.n_created FROM pattimpex_file f JOIN pattimpex_attachment a ON a.id = f.attachment_id"
                        " WHERE f.kind = 'import' ORDER BY f.id")


# ---------------------------------------------------------------- in

def test_decrypts(shop, pair):
    us, partner = pair
    shop.task()
    shop.drop("a.csv.gpg", partner.encrypt(GOOD, us))
    shop.drop("b.csv.asc", partner.encrypt(BAD, us, "--armor"))
    shop.drop("c.csv.gz.pgp", partner.encrypt(gzip.compress(b"email#key,name\nzoe@x.test,Zoe\n"), us))
    shop.call("run", status=1, env=SECRET)
    assert sorted(files(shop)) == [
        ("a.csv", "done", 2), ("a.csv.gpg", "done", 0), ("b.csv", "failed", 1), ("b.csv.asc", "done", 0), ("c.csv", "done", 1),
        ("c.csv.gz", "done", 0), ("c.csv.gz.pgp", "done", 0)]
    assert shop.names() == ["done/a.csv.gpg", "done/b.csv.asc", "done/c.csv.gz.pgp", "errors/b.csv"]


def test_what_is_not_as_agreed_is_refused(shop, pair):
    us, partner = pair
    other = Keys("other")
    try:
        other.gpg("--import", input=us.public)
        shop.task(f"decrypt: true, signed_by: {partner.fingerprint}")
        whole = partner.encrypt(GOOD, us, "--sign")
        for name, data in (("1-plain", GOOD), ("2-other", other.encrypt(GOOD, other)), ("3-unsigned", partner.encrypt(GOOD, us)),
                           ("4-stranger", other.encrypt(GOOD, us, "--sign")), ("5-short", whole[:-20]), ("6-empty", "")):
            shop.drop(f"{name}.csv.gpg", data)
        shop.call("run", status=1, env=SECRET)
        why = {name[7]: data.decode().splitlines()[1] for name, data in shop.tree("errors").items()}
        for name in "156":
            assert why[name] == "it is not encrypted with OpenPGP, or cut off" or (name == "5" and "cannot be decrypted" in why[name])
        assert why["2"] == "it is encrypted, but for nobody whose secret key is here"
        assert why["3"].startswith("it is not signed") and why["4"].startswith("its signature is not good, or by a key that is not here")
        assert len(shop.emails()) == 2, "something of it was imported"
        shop.drop("7.csv.gpg", whole)
        shop.call("run", env=SECRET)
        assert shop.emails()[2:] == ["carol@x.test", "dave@x.test"]
        shop.task(f"decrypt: true, signed_by: {us.fingerprint}")
        shop.drop("8.csv.gpg", whole)
        assert f"signed, but by the key {partner.fingerprint}" in shop.call("run", status=1, env=SECRET).stdout
    finally:
        other.stop()


@pytest.mark.parametrize("passphrase, env", [("\n  passphrase: ${PGP_PASSPHRASE}", {"PGP_PASSPHRASE": "hunter2-wrong"}), ("", {})])
def test_wrong_passphrase_is_ours_to_correct(shop, pair, passphrase, env):
    us, partner = pair
    subprocess.run(["gpgconf", "--kill", "all"], env={**os.environ, "GNUPGHOME": us.home}, timeout=60, check=True)     # it may know the right one
    shop.task(passphrase=passphrase)
    shop.drop("a.csv.gpg", partner.encrypt(GOOD, us))
    done = shop.call("run", status=1, env=env)
    assert "the passphrase of the secret key is missing or wrong" in done.stdout and "hunter2" not in done.stdout + done.stderr + shop.dump()
    shop.task()
    shop.call("retry", "attachment", "1", env=SECRET, status=None)
    shop.call("run", env=SECRET)
    assert shop.emails()[2:] == ["carol@x.test", "dave@x.test"]


# ---------------------------------------------------------------- out

def test_encrypts_and_signs(project, pair):
    us, partner = pair
    project.config(f"openpgp: {{home: {us.home}, passphrase: '${{PGP_PASSPHRASE}}'}}\nexport_tasks:\n"
                   f"  out: {{storage: drop, path: out, pattern: partner, compress: gzip, encrypt_to: [{partner.fingerprint}],"
                   f" sign_with: {us.fingerprint}}}\n"
                   f"  plain: {{storage: drop, path: out, pattern: partner, file_name: p.csv.gpg, encrypt_to: {partner.fingerprint}}}\n")
    project.call("check", env=SECRET)
    project.call("run", env=SECRET)
    assert project.names() == ["out/p.csv.gpg", "out/partner.csv.gz.gpg"]
    text = partner.gpg("--decrypt", input=project.tree()["out/p.csv.gpg"])
    assert b"alice@x.test" in text
    signed = project.drop_folder / "out" / "partner.csv.gz.gpg"
    assert gzip.decompress(partner.gpg("--decrypt", signed)) == text
    assert f"VALIDSIG {us.fingerprint}" in partner.gpg("--status-fd", "1", "--output", os.devnull, "--decrypt", signed).decode()


def test_key_that_is_missing_is_told(project, pair):
    us, partner = pair
    project.config(f"openpgp: {{home: {us.home}}}\nexport_tasks:\n"
                   f"  out: {{storage: drop, path: out, pattern: partner, encrypt_to: {'AB' * 20}}}\n")
    assert f"export task out: OpenPGP: there is no public key {'AB' * 20}: import it with gpg" in project.call("check", status=2).stderr
    assert f"there is no public key {'AB' * 20}: import it with gpg" in project.call("run", status=1).stdout
    assert project.names() == []


def test_settings_are_checked(project):
    project.config("openpgp: {pasphrase: plain}\nimport_tasks:\n  in: {storage: drop, pattern: partner, signed_by: me@x.test}\n"
                   "export_tasks:\n  out: {storage: drop, pattern: partner, sign_with: ABCD}\n")
    told = project.call("check", status=2).stderr
    for part in ("passphrase", "\"me@x.test\" is no fingerprint", "signed_by needs decrypt: true", "sign_with needs encrypt_to"):
        assert part in told


# ---------------------------------------------------------------- by hand

def test_by_hand_both_ways(shop, pair):
    us, partner = pair
    shop.task()
    (shop.folder / "a.csv.gz.gpg").write_bytes(partner.encrypt(gzip.compress(GOOD.encode()), us))
    assert "a.csv: 2 created (2 rows)" in shop.call("import", "partner", "a.csv.gz.gpg", env=SECRET).stdout
    told = shop.json("export", "partner", "--compress", "gzip", "--encrypt-to", partner.fingerprint, "--sign-with", us.fingerprint, env=SECRET)
    assert told["output"] == "partner.csv.gz.gpg"
    assert b"carol@x.test" in gzip.decompress(partner.gpg("--decrypt", shop.folder / told["output"]))


def test_signers_by_hand(shop, pair):
    us, partner = pair
    shop.task()
    for name, by in (("good", partner), ("ours", us)):
        (shop.folder / f"{name}.csv.gpg").write_bytes(by.encrypt(GOOD, us, "--sign"))
    (shop.folder / "nobody.csv.gpg").write_bytes(partner.encrypt(GOOD, us))
    (shop.folder / "plain.csv").write_text(GOOD)
    signed = ["--signed-by", partner.fingerprint]
    for name, words in (("nobody.csv.gpg", "it is not signed"), ("plain.csv", "it is not signed"), ("ours.csv.gpg", "signed_by wants another")):
        assert words in shop.call("import", "partner", name, *signed, status=2, env=SECRET).stderr
    assert "give the whole fingerprint" in shop.call("import", "partner", "good.csv.gpg", "--signed-by", "me", status=2, env=SECRET).stderr
    assert "needs a file" in shop.call("import", "partner", "-", *signed, status=2, env=SECRET, input=GOOD).stderr
    assert files(shop) == [] and shop.rows("SELECT name FROM pattimpex_attachment") == []
    assert "2 created" in shop.call("import", "partner", "good.csv.gpg", *signed, env=SECRET).stdout
    assert shop.rows("SELECT name, parent_id FROM pattimpex_attachment ORDER BY id") == [("good.csv.gpg", None), ("good.csv", 1)]


def test_by_hand_without_the_key(shop, pair):
    us, partner = pair
    shop.task()
    (shop.folder / "a.csv.gpg").write_bytes(us.encrypt(GOOD, partner))
    done = shop.call("import", "partner", "a.csv.gpg", status=2, env=SECRET)
    assert "a.csv.gpg: " in done.stderr and files(shop) == []
