# SPDX-License-Identifier: Apache-2.0
"""Servers of S3 that say no, break off, lie or are not what they should be; and where credentials come from."""
import base64
import hashlib
import json
import os
import subprocess
import time

import pytest

from conftest import BASE, GOOD, MEASURED
from s3_servers import Crowd, Fault, Object, Roles, Scripted

SECRET = "open sesame/+"
TASKS = """
import_tasks:
  in: {storage: drop, path: in, pattern: partner, after_import: move, move_path: done, retry: {tries: 1}}
export_tasks:
  out: {storage: drop, path: out, pattern: partner, file_name: all.csv, retry: {tries: 1}}
"""
MIB = 1024 * 1024


@pytest.fixture
def server():
    scripted = Scripted()
    yield scripted
    scripted.stop()


@pytest.fixture
def shop(project, server, monkeypatch):
    """A project whose storage is on the scripted server; settings are added, or replace what is there."""
    monkeypatch.setenv("SECRET", SECRET)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(project.folder))

    def configure(tasks="", **more):
        project.config(tasks, base=BASE.replace("{type: file, directory: drop}", server.settings(directory="exchange", **more)))
    configure()
    project.configure = configure
    return project


def told(done):
    return done.stdout + done.stderr


def put(shop, body, place="out/a.csv", status=0, **options):
    (shop.folder / "file").write_bytes(body)
    return shop.call("storage", "put", "drop", "file", place, status=status, **options)


# ---------------------------------------------------------------- signatures, names

@pytest.mark.parametrize("name", ["a.csv", "with blank.csv", "a+b%41.csv", "Größe-é.csv", "quote'\"$&=;:,@!*()?#[]~.csv"])
def test_names_are_signed_and_kept(shop, server, name):
    put(shop, b"some bytes", place=f"out/{name}")
    assert server.tree() == {f"exchange/out/{name}": b"some bytes"}
    assert [file["name"] for file in shop.json("storage", "ls", "drop", "out")] == [name]
    assert shop.call("storage", "get", "drop", f"out/{name}", "-o", "-").stdout == "some bytes"
    shop.call("storage", "rm", "drop", f"out/{name}")
    assert server.tree() == {}


def test_bucket_in_the_name_of_the_host(shop, server):
    server.by_host = True
    shop.configure(endpoint=f"http://localhost:{server.port}", addressing="host")
    put(shop, b"x")
    assert server.tree() == {"exchange/out/a.csv": b"x"}
    assert server.asked[-1][2]["Host"] == f"shop-bucket.localhost:{server.port}"


def test_other_keys_of_the_bucket_are_out_of_reach(shop, server):
    server.put("secret", "x")
    server.put("exchangeable/x", "x")
    for place in ("../secret", "/secret", "in/../../secret"):
        shop.call("storage", "get", "drop", place, "-o", "-", status=2)
    assert shop.json("storage", "ls", "drop") == []
    assert all(path.startswith(("/shop-bucket/exchange/", "/shop-bucket?")) and ".." not in path for _, path, _ in server.asked)


def test_what_is_written_has_its_headers(shop, server):
    shop.configure(acl="bucket-owner-full-control", cache_control="no-cache", server_side_encryption='"aws:kms"', kms_key="arn:k", storage_class="STANDARD_IA")
    put(shop, b"x")
    headers = {name.lower(): value for name, value in server.asked[-1][2].items()}
    assert headers["x-amz-acl"] == "bucket-owner-full-control" and headers["cache-control"] == "no-cache" and headers["content-type"] == "text/csv"
    assert headers["x-amz-server-side-encryption"] == "aws:kms" and headers["x-amz-server-side-encryption-aws-kms-key-id"] == "arn:k"
    assert headers["x-amz-storage-class"] == "STANDARD_IA" and headers["content-md5"] == base64.b64encode(hashlib.md5(b"x").digest()).decode()


def test_certificate_is_checked(shop, server):
    tls = Scripted(tls=shop.folder)
    try:
        shop.configure(endpoint=tls.endpoint)
        done = shop.call("storage", "check", status=None)
        assert done.returncode != 0 and "certificate" in told(done) and tls.asked == []
        shop.configure(endpoint=tls.endpoint, ca_file="certificate")
        put(shop, b"x")
        assert tls.tree() == {"exchange/out/a.csv": b"x"}
        shop.configure(endpoint=tls.endpoint, tls_verify="false")
        assert "tls_verify: false: whoever is in between can read" in told(shop.call("check", status=None))
    finally:
        tls.stop()


# ---------------------------------------------------------------- listings

def test_listing_of_many_pages(shop, server):
    server.page = 10
    for i in range(95):
        server.put(f"exchange/in/{i:03}.csv", "x")
    server.put("exchange/in/", "")
    server.put("exchange/in/deep/er.csv", "x")
    server.fails("GET", "continuation-token=exchange/in/038", status=503, code="SlowDown", times=2)
    assert [file["name"] for file in shop.json("storage", "ls", "drop", "in")] == [*(f"{i:03}.csv" for i in range(95)), "deep/"]
    assert server.pages == 10


def test_listing_that_is_none(shop, server):
    server.fails("GET", "list-type", does="answer", times=None, body="<html>Welcome to nginx!</html>")
    done = shop.call("storage", "ls", "drop", "in", status=None)
    assert done.returncode != 0 and "no listing of S3" in done.stderr and 'is "endpoint" right?' in done.stderr


# ---------------------------------------------------------------- what servers say

@pytest.mark.parametrize("status, code, words", [
    (403, "SignatureDoesNotMatch", "the secret key is not that of the access key"),
    (403, "InvalidAccessKeyId", "the access key is not known there"),
    (403, "RequestTimeTooSkewed", "the clocks of this machine and of the server differ too much"),
    (400, "ExpiredToken", "the session token has expired"),
    (404, "NoSuchBucket", "there is no bucket of that name"),
    (403, "AccessDenied", "Permission denied"),
    (418, "IAmATeapot", "the server says: short and stout (418 IAmATeapot)"),
])
def test_errors_are_told_with_what_to_do(shop, server, status, code, words):
    server.fails("GET", "list-type", times=None, status=status, code=code, message="short and stout")
    done = shop.call("storage", "check", "--json", status=None)
    assert done.returncode in (2, 3) and words in json.loads(done.stdout)[0]["error"] and SECRET not in told(done)
    assert len(server.asked) == 1, "it is not tried again"


def test_refusal_without_a_word(shop, server):
    """As Ceph answers who wants encryption over plain HTTP."""
    server.faults.append(Fault("PUT", "", "answer", times=None, status=400, body=b"<Error><Code>InvalidRequest</Code><Message></Message></Error>"))
    done = shop.call("storage", "check", "--json", status=None)
    assert "the server says: InvalidRequest (400 InvalidRequest)" in json.loads(done.stdout)[0]["error"]
    shop.configure(server_side_encryption="AES256")
    done = shop.call("storage", "check", "--json", status=None)
    assert "perhaps it encrypts nothing, or only what comes over https" in json.loads(done.stdout)[0]["error"]


@pytest.mark.parametrize("status, code, more, headers", [
    (301, "PermanentRedirect", "", {"x-amz-bucket-region": "eu-west-3"}),
    (400, "AuthorizationHeaderMalformed", "<Region>eu-west-3</Region>", {}),
    (307, "TemporaryRedirect", "", {"x-amz-bucket-region": "eu-west-3", "Location": "http://elsewhere.invalid/"}),
])
def test_bucket_in_another_region(shop, server, status, code, more, headers):
    server.fails("GET", "", times=None, status=status, code=code, more=more, headers=headers)
    server.fails("HEAD", "", times=None, status=status, code="", headers=headers)
    for done in (shop.call("storage", "check", "drop", status=None), shop.call("storage", "get", "drop", "a", "-o", "-", status=None)):
        assert done.returncode != 0 and 'correct the setting' in told(done) and "it is eu-west-3" in told(done)


@pytest.mark.parametrize("status, code", [(503, "SlowDown"), (500, "InternalError"), (400, "RequestTimeout"), (502, "")])
def test_what_passes_is_tried_again(shop, server, status, code):
    server.put("exchange/in/a.csv", GOOD)
    server.fails("GET", "list-type", times=2, status=status, code=code)
    server.fails("GET", "in/a.csv", times=2, status=status, code=code)
    server.fails("PUT", "out/", times=2, status=status, code=code, early=True)
    shop.configure(TASKS)
    shop.call("run")
    assert sorted(server.tree()) == ["exchange/done/a.csv", "exchange/out/all.csv"] and len(shop.emails()) == 4


def test_server_that_stays_busy(shop, server):
    fault = server.fails("GET", "list-type", times=None, status=503, code="SlowDown")
    done = shop.call("storage", "ls", "drop", "in", status=None)
    assert done.returncode != 0 and "the server wants fewer requests" in done.stderr and fault.happened == 3


def test_file_that_may_not_be_read_leaves_the_others(shop, server):
    for name in ("a.csv", "b.csv"):
        server.put(f"exchange/in/{name}", GOOD.replace("carol", name[0]).replace("dave", name[0] * 2))
    for method in ("HEAD", "GET"):
        server.fails(method, "^/shop-bucket/exchange/in/a.csv", times=None, status=403, code="AccessDenied")
    shop.configure(TASKS)
    done = shop.call("run", status=1)
    assert "a.csv" in told(done) and "give pattimpex the right to read it" in told(done)
    assert sorted(server.tree()) == ["exchange/done/b.csv", "exchange/in/a.csv", "exchange/out/all.csv"]


# ---------------------------------------------------------------- bytes that do not come, or are not what was said

@pytest.mark.parametrize("fault", [{"does": "drop", "after": 30}, {"does": "stall", "after": 30}, {"does": "lie", "length": 5}])
def test_download_that_breaks_off(shop, server, fault):
    server.put("exchange/in/a.csv", GOOD)
    server.fails("GET", "in/a.csv", times=None, **fault)
    shop.configure(TASKS, timeout="1s", connect_timeout="1s")
    done = shop.call("run", "in", status=None)
    assert done.returncode != 0 and "a.csv" in told(done) and len(shop.emails()) == 2
    server.faults.clear()
    server.released.set()
    shop.call("run", "in")
    assert len(shop.emails()) == 4 and server.tree() == {"exchange/done/a.csv": GOOD.encode()}


def test_size_that_is_a_lie(shop, server):
    server.put("exchange/in/a.csv", GOOD)
    for length, words in ((5, "fewer than the"), (-5, "more than the")):
        server.fails("HEAD", "in/a.csv", does="lie", length=length)
        done = shop.call("storage", "get", "drop", "in/a.csv", "-o", "copy", status=None)
        assert done.returncode != 0 and words in done.stderr and not (shop.folder / "copy").exists()


def test_object_that_changes_under_the_reader(shop, server):
    server.put("exchange/in/a.csv", GOOD)
    server.objects["exchange/in/a.csv"].etag = "old"
    server.fails("GET", "in/a.csv", status=412, code="PreconditionFailed")
    done = shop.call("storage", "get", "drop", "in/a.csv", "-o", "-", status=None)
    assert done.returncode != 0 and done.stdout == "" and "it was changed after it was opened" in done.stderr
    assert server.asked[-1][2]["if-match"] == '"old"'


# ---------------------------------------------------------------- writing

def test_nothing_is_written_over(shop, server):
    server.put("exchange/out/a.csv", "old")
    assert "there is a file of that name already" in put(shop, b"new", status=1).stderr
    server.fails("HEAD", "out/a.csv", status=404, code="", times=None)      # it came after the look
    assert "there is a file of that name already" in put(shop, b"new", status=1).stderr
    shop.configure(part_size="5MiB")
    assert "there is a file of that name already" in put(shop, bytes(6 * MIB), status=1).stderr
    assert server.tree() == {"exchange/out/a.csv": b"old"} and server.uploads == {}
    server.faults.clear()
    put(shop, b"new", place="out/")
    assert server.tree("exchange/out/file") == {"exchange/out/file": b"new"}


@pytest.mark.parametrize("size", [6, 6 * MIB])
def test_write_whose_answer_is_lost_is_done_once(shop, server, size):
    """libcurl sends a request again by itself where a connection that it kept breaks without an answer."""
    shop.configure(part_size="5MiB")
    body = os.urandom(size)
    server.fails("PUT" if size < MIB else "POST", "out/a.csv$|uploadId", does="lose")
    if put(shop, body, status=None).returncode:
        shop.call("storage", "put", "drop", "file", "out/a.csv", "--on-exists", "number")
    assert server.tree() == {"exchange/out/a.csv": body} and server.uploads == {}


@pytest.mark.parametrize("size", [6, 5 * MIB, 5 * MIB + 1, 11 * MIB])
def test_upload_in_parts(shop, server, size):
    shop.configure(part_size="5MiB", cache_control="no-cache")
    body = os.urandom(size)
    put(shop, body)
    assert server.tree() == {"exchange/out/a.csv": body}
    parts = [path for path in server.requests("PUT") if "partNumber" in path]
    assert len(parts) == (0 if size <= 5 * MIB else -(-size // (5 * MIB))) and server.uploads == {}
    assert server.objects["exchange/out/a.csv"].headers == {"content-type": "text/csv", "cache-control": "no-cache"}


@pytest.mark.parametrize("at_once", [1, 3])
def test_so_many_parts_are_on_their_way_at_once(shop, server, at_once):
    shop.configure(part_size="5MiB", parts_at_once=at_once)
    body = os.urandom(31 * MIB)
    crowd = server.crowd = Crowd(at_once)
    put(shop, body)
    assert crowd.most == at_once and server.tree() == {"exchange/out/a.csv": body} and server.uploads == {}


@pytest.mark.parametrize("at_once", [1, 3])
def test_so_many_small_files_are_on_their_way_at_once(shop, server, at_once):
    shop.configure(TASKS, parts_at_once=at_once)
    rows = {f"f{i}.csv": f"name,email#key\nN{i},n{i}@x.test\n".encode() for i in range(8)}
    for name, body in rows.items():
        (shop.folder / name).write_bytes(body)
    crowd = server.crowd = Crowd(at_once)
    shop.call("storage", "put", "drop", *rows, "in/")
    assert crowd.most == at_once and server.tree() == {f"exchange/in/{name}": body for name, body in rows.items()}
    crowd = server.crowd = Crowd(at_once)
    shop.call("run", "in")
    assert crowd.most == at_once and server.tree() == {f"exchange/done/{name}": body for name, body in rows.items()}
    assert {f"n{i}@x.test" for i in range(8)} <= set(shop.emails())


def test_one_bad_among_small_files_is_one(shop, server):
    """What is refused, or is there already, hinders no other."""
    shop.configure(TASKS)
    for i in range(6):
        (shop.folder / f"f{i}.csv").write_text(GOOD)
    server.objects["exchange/in/f1.csv"] = Object(b"theirs", {})
    server.fails("PUT", "f2.csv", times=None, status=403, code="AccessDenied")
    done = shop.call("storage", "put", "drop", *(f"f{i}.csv" for i in range(6)), "in/", status=None)
    assert done.returncode == 1 and "in/f1.csv: there is a file of that name already" in done.stderr and "in/f2.csv: cannot write" in done.stderr
    assert sorted(server.tree()) == [f"exchange/in/f{i}.csv" for i in (0, 1, 3, 4, 5)] and server.tree()["exchange/in/f1.csv"] == b"theirs"
    server.fails("GET", r"^[^?]*/f3\.csv$", times=None, status=403, code="AccessDenied")
    done = shop.call("run", "in", status=None)
    assert "f3.csv" in told(done) and sorted(server.tree()) == [f"exchange/done/f{i}.csv" for i in (0, 1, 4, 5)] + ["exchange/in/f3.csv"]


def test_bandwidth_is_that_of_all_parts_together(shop, server):
    shop.configure(part_size="5MiB", parts_at_once=3, bandwidth_limit="10MiB")
    before = time.monotonic()
    put(shop, bytes(15 * MIB))
    assert time.monotonic() - before > 1.3, "15 MiB at 10 MiB a second"


def test_part_that_fails_is_sent_again(shop, server):
    shop.configure(part_size="5MiB")
    body = os.urandom(11 * MIB)
    server.fails("PUT", "partNumber=2", times=2, status=500, code="InternalError")
    server.fails("PUT", "partNumber=3", does="drop", after=1000)
    put(shop, body)
    assert server.tree() == {"exchange/out/a.csv": body}


@pytest.mark.parametrize("fault", [
    {"method": "PUT", "path": "partNumber=2", "status": 403, "code": "AccessDenied"},
    {"method": "PUT", "path": "partNumber=2", "status": 500, "code": "InternalError"},
    {"method": "POST", "path": "uploadId", "status": 200, "code": "InternalError"},
])
def test_upload_that_fails_leaves_nothing(shop, server, fault):
    shop.configure(part_size="5MiB")
    server.fails(times=None, **fault)
    done = put(shop, os.urandom(11 * MIB), status=None)
    assert done.returncode != 0 and "out/a.csv: cannot write" in done.stderr
    assert server.tree() == {} and server.uploads == {} and len(server.requests("DELETE")) == 1
    assert server.asked[-1][0] == "DELETE", "no part comes after it was given up"


def test_bucket_is_made_where_that_is_said(shop, server):
    server.has_bucket = False
    assert "say create_bucket: true" in put(shop, b"x", status=None).stderr and not server.has_bucket
    shop.configure(create_bucket="true", region="eu-west-3")
    assert shop.json("storage", "ls", "drop", "in") == [] and not server.has_bucket
    put(shop, b"x")
    assert server.tree() == {"exchange/out/a.csv": b"x"} and "<LocationConstraint>eu-west-3</LocationConstraint>" in server.location


@pytest.mark.parametrize("status, code", [(501, "NotImplemented"), (400, "InvalidArgument")])
def test_server_that_knows_no_conditions(shop, server, status, code):
    server.put("exchange/in/a.csv", GOOD)

    class Refuses:
        def means(self, method, path):
            self.options, self.does = {"status": status, "code": code}, "error"
            return server.asked[-1][2].get("if-none-match") == "*"
    server.faults.append(Refuses())
    shop.configure(TASKS)
    shop.call("run")
    assert sorted(server.tree()) == ["exchange/done/a.csv", "exchange/out/all.csv"]
    server.put("exchange/out/file", "old")
    assert "there is a file of that name already" in put(shop, b"new", place="out/", status=1).stderr
    put(shop, b"new", place="out/b.csv")
    assert server.tree()["exchange/out/b.csv"] == b"new"
    conditional = ["in/" in path for _, path, headers in server.asked if "if-none-match" in headers]
    assert conditional == [True, False], "copies are asked for once, then writes"


# ---------------------------------------------------------------- moving

def test_big_object_is_copied_in_parts_with_its_headers(shop, server):
    body = os.urandom(11 * MIB)
    server.objects["exchange/in/a.csv"] = Object(body, {"Content-Type": "text/x-shop", "Cache-Control": "private"})
    shop.configure("import_tasks: {in: {storage: drop, path: in, after_import: move, move_path: done}}\n", copy_limit="5MiB")
    shop.call("run")
    assert server.tree() == {"exchange/done/a.csv": body} and server.uploads == {}
    assert server.objects["exchange/done/a.csv"].headers == {"content-type": "text/x-shop", "cache-control": "private"}


def test_other_bytes_under_the_name_of_what_is_moved_are_another_file(shop, server):
    server.put("exchange/in/a.csv", GOOD)
    shop.configure(TASKS)
    copies = []

    class Replaces:
        """Between the copy and the removal the partner drops the next file of that name."""

        def means(self, method, path):
            if method == "HEAD" and copies == ["held"] and path.endswith("in/a.csv"):
                copies.append("replaced")
                server.put("exchange/in/a.csv", GOOD.replace("carol", "carla").replace("dave", "david"))
            if method == "PUT" and "in/.pattimpex-" in path and not copies:
                copies.append("held")
            return False
    server.faults.append(Replaces())
    shop.call("run", "in")
    shop.call("run", "in")
    assert copies == ["held", "replaced"] and shop.emails()[2:] == ["carol@x.test", "dave@x.test", "carla@x.test", "david@x.test"]
    assert sorted(server.tree()) == ["exchange/done/a-1.csv", "exchange/done/a.csv"]


@pytest.mark.parametrize("etag", [None, "made-of-a-key"])
def test_copy_of_a_move_that_was_killed_is_finished(shop, server, etag):
    server.put("exchange/in/a.csv", GOOD)
    server.copies_get = etag
    shop.configure(TASKS)
    fault = server.fails("DELETE", "in/a.csv", status=500, code="InternalError", times=None)
    shop.call("run", "in", status=None)
    assert fault.happened and "exchange/in/a.csv" in server.tree() and any(".pattimpex-" in key for key in server.tree())
    server.faults.clear()
    shop.call("run", "in", status=None)
    shop.call("run", "in", status=None)
    assert list(server.tree()) == ["exchange/done/a.csv"] and shop.emails()[2:] == ["carol@x.test", "dave@x.test"]


def test_weak_etags_are_no_conditions(shop, server):
    server.put("exchange/in/a.csv", GOOD)
    server.fails("HEAD", "", does="lie", times=None, weak=True)
    shop.configure(TASKS)
    shop.call("run", "in")
    assert list(server.tree()) == ["exchange/done/a.csv"]
    assert not any("if-match" in name.lower() for _, _, headers in server.asked for name in headers)


# ---------------------------------------------------------------- credentials

def test_credentials_of_the_environment(shop, server, monkeypatch):
    server.secrets = {"AKENV": "secret of the environment"}
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret of the environment")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "the-session")
    shop.configure(access_key=None, secret_key=None)
    shop.call("storage", "check")
    assert server.asked[-1][2]["x-amz-security-token"] == "the-session"


def test_credentials_of_a_shared_file(shop, server):
    server.secrets = {"AKFILE": "secret=of/the+file"}
    (shop.folder / ".aws").mkdir()
    (shop.folder / ".aws" / "credentials").write_text(
        "# of all\n[default]\naws_access_key_id = OTHER\naws_secret_access_key = other\n\n[shop]\naws_access_key_id=AKFILE\n"
        "aws_secret_access_key = secret=of/the+file\n")
    shop.configure(access_key=None, secret_key=None, profile="shop")
    shop.call("storage", "check")
    shop.configure(access_key=None, secret_key=None, profile="nobody")
    done = shop.call("storage", "check", status=None)
    assert done.returncode != 0 and '/.aws/credentials has no profile "nobody"' in told(done)


@pytest.fixture
def roles(server):
    server.secrets = {"AKROLE": "secret of the role"}
    found = Roles(("AKROLE", "secret of the role", "token-of-the-role"))
    yield found
    found.stop()


def test_credentials_of_the_machine(shop, server, roles, monkeypatch):
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "false")
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", roles.url + "/")
    shop.configure(access_key=None, secret_key=None)
    shop.call("storage", "check")
    assert server.asked[-1][2]["x-amz-security-token"] == "token-of-the-role"
    assert roles.asked == ["PUT /latest/api/token", "GET /latest/meta-data/iam/security-credentials/",
                           "GET /latest/meta-data/iam/security-credentials/shop%20role"]


def test_credentials_of_a_role_are_asked_for_before_they_expire(shop, server, roles, monkeypatch):
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "false")
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", roles.url)
    roles.seconds = 60
    shop.configure(access_key=None, secret_key=None, credentials="role")
    shop.call("storage", "check", "drop")
    assert roles.asked.count("PUT /latest/api/token") == len(server.asked)


def test_credentials_of_a_container(shop, server, roles, monkeypatch):
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", roles.url + "/container")
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "let me in")
    shop.configure(access_key=None, secret_key=None, credentials="role")
    shop.call("storage", "check")
    assert roles.asked == ["GET /container"]


def test_public_bucket(shop, server):
    server.is_public, server.secrets = True, {}
    server.put("exchange/in/a.csv", "open to all")
    shop.configure(access_key=None, secret_key=None, credentials="none")
    assert shop.call("storage", "get", "drop", "in/a.csv", "-o", "-").stdout == "open to all"


def test_no_credentials_at_all(shop):
    shop.configure(access_key=None, secret_key=None)
    done = shop.call("storage", "check", status=None)
    assert done.returncode != 0 and "there are no credentials: AWS_ACCESS_KEY_ID is not set" in told(done)


def test_secrets_are_shown_nowhere(shop, server):
    server.secrets = {}
    shop.configure(TASKS, session_token='"${SECRET}"')
    shown = [shop.call("run", status=None), shop.call("check", status=None), shop.call("check", "--effective", status=None), shop.call("storage", status=None)]
    assert not any(SECRET in told(done) for done in shown) and SECRET not in shop.dump()


# ---------------------------------------------------------------- much of it

def test_memory_does_not_grow_with_a_file(shop, server):
    body = bytes(60 * MIB)
    server.put("exchange/in/big", body)
    shop.configure(part_size="8MiB")
    for arguments in (["get", "drop", "in/big", "-o", "big"], ["put", "drop", "big", "out/big"]):
        limited = f"ulimit -v 400000; exec {MEASURED} storage {' '.join(arguments)}"
        done = subprocess.run(["sh", "-c", limited], cwd=shop.folder, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
    assert server.tree("exchange/out") == {"exchange/out/big": body}
