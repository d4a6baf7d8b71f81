# SPDX-License-Identifier: Apache-2.0
"""Certificates of the servers of the tests."""
import subprocess


def self_signed(certificate, key):
    """For localhost and 127.0.0.1, its own authority, two days long. Both may be one file."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", certificate], check=True, capture_output=True)
