# SPDX-License-Identifier: Apache-2.0
"""A server that takes nobody without TLS, and what sslmode makes of its certificate."""
import os

import postgres
import psycopg2
import pytest
from certificates import self_signed
from conftest import BASE, POSTGRES_SCHEMA
from server import until

ONLY_TLS = "hostssl all all 127.0.0.1/32 trust\n"
TASKS = """
serve: {workers: 2}
import_tasks:
  in: {storage: drop, path: in, pattern: partner, after_import: move, move_path: done, schedule: every second}
"""


class Encrypted(postgres.Cluster):
    def make(self):
        super().make()
        (self.data / "pg_hba.conf").write_text(ONLY_TLS)
        self_signed(self.folder / "cert.pem", self.data / "server.key")
        if self.user:
            os.chown(self.data / "server.key", self.user["user"], self.user["group"])
        with open(self.data / "postgresql.conf", "a") as settings:
            settings.write(f"ssl = on\nssl_cert_file = '{self.folder}/cert.pem'\n")


@pytest.fixture(scope="module")
def cluster():
    own = Encrypted()
    with psycopg2.connect(own.url) as db, db.cursor() as cursor:
        cursor.execute(POSTGRES_SCHEMA)
    db.close()
    yield own
    own.stop()


def configure(project, cluster, tasks="", **parameters):
    query = "&".join(f"{name}={value}" for name, value in parameters.items())
    project.config(tasks, base=BASE.replace("sqlite:shop.db", f"{cluster.url}?{query}"))


def test_every_connection_is_encrypted_and_checked(project, cluster, serve):
    configure(project, cluster, TASKS, sslmode="verify-full", sslrootcert=cluster.folder / "cert.pem")
    server = serve()
    server.told("READY=1")
    project.drop("good.csv")
    until("the file is put away", lambda: "done/good.csv" in project.names())
    with psycopg2.connect(cluster.url) as db, db.cursor() as cursor:
        cursor.execute("SELECT count(*), count(*) FILTER (WHERE s.ssl) FROM pg_stat_ssl AS s JOIN pg_stat_activity AS a USING (pid)"
                       " WHERE a.application_name LIKE 'pattimpex%'")
        connections, encrypted = cursor.fetchone()
    db.close()
    assert connections == encrypted >= 3


def test_server_that_wants_tls_says_so(project, cluster):
    configure(project, cluster, sslmode="disable")
    assert "no encryption" in project.call("check", status=3).stderr


def test_certificate_of_somebody_else_is_refused(project, cluster):
    self_signed(project.folder / "other.pem", project.folder / "other.key")
    configure(project, cluster, sslmode="verify-ca", sslrootcert=project.folder / "other.pem")
    assert "certificate verify failed" in project.call("check", status=3).stderr


def test_certificate_with_another_name_is_refused(project, cluster):
    configure(project, cluster, sslmode="verify-full", sslrootcert=cluster.folder / "cert.pem", host="localhost.example", hostaddr="127.0.0.1")
    said = project.call("check", status=3).stderr
    assert "localhost.example" in said and "does not match" in said
