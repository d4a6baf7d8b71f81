# SPDX-License-Identifier: Apache-2.0
"""Servers for storages of the type sftp, on free ports of the loopback: OpenSSH's own, one that breaks the rules."""
import os
import pathlib
import pwd
import socket
import stat
import subprocess
import threading

import paramiko

from lines import Started, as_yaml, stop_listening, wait_for_port, with_parent
from ports import free_port

SSHD = "/usr/sbin/sshd"


def make_key(path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", path], check=True)


class Sshd(Started):
    """Own configuration, own keys; nothing of the system's."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.port = free_port()
        self.user = pwd.getpwuid(os.geteuid()).pw_name
        for name in ("host", "user"):
            make_key(self.folder / name)
        (self.folder / "authorized_keys").write_text((self.folder / "user.pub").read_text())
        (self.folder / "config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self.folder}/host\nAuthorizedKeysFile {self.folder}/authorized_keys\nPidFile none\n"
            "StrictModes no\nUsePAM no\nPermitRootLogin yes\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
            "Subsystem sftp internal-sftp\nMaxStartups 100\n")
        if os.geteuid() == 0:       # compiled into it: the empty directory that it shuts itself in
            os.makedirs("/run/sshd", exist_ok=True)
        self.process = subprocess.Popen([SSHD, "-D", "-f", self.folder / "config", "-E", self.folder / "log"], preexec_fn=with_parent)
        wait_for_port(self.port)

    def settings(self, directory, port=None, **more):
        """A storage on that directory as one line of YAML."""
        port = port or self.port
        hosts = self.folder / f"known_hosts-{port}"
        hosts.write_text(f"[127.0.0.1]:{port} {(self.folder / 'host.pub').read_text()}")
        options = {"type": "sftp", "host": "127.0.0.1", "port": port, "user": self.user, "key_file": self.folder / "user", "known_hosts": hosts,
                   "directory": directory, **more}
        return as_yaml(options)

    def logins(self):
        return (self.folder / "log").read_text().count("Accepted publickey")


# ---------------------------------------------------------------- a server that breaks the rules

class Handle(paramiko.SFTPHandle):
    def __init__(self, files, path, flags):
        super().__init__(flags)
        self.files, self.path = files, path
        self.fd = os.open(path, flags | os.O_CLOEXEC, 0o644)
        files.server.open += 1
        files.server.most_open = max(files.server.most_open, files.server.open)

    def stat(self):
        return self.files.attributes(os.fstat(self.fd), self.path)

    def read(self, offset, length):
        self.files.server.reads.append(length)
        return os.pread(self.fd, min(length, self.files.server.piece), offset)

    def write(self, offset, data):
        if self.files.server.full:
            return paramiko.SFTP_FAILURE
        os.pwrite(self.fd, data, offset)
        return paramiko.SFTP_OK

    def close(self):
        os.close(self.fd)
        self.files.server.open -= 1
        return paramiko.SFTP_OK


def answered(call):
    def wrapped(self, *arguments):
        try:
            return call(self, *arguments)
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)
    return wrapped


class Files(paramiko.SFTPServerInterface):
    """Version 3 as the draft has it: no extension at all, rename refuses what exists."""

    def __init__(self, login, *arguments, **options):
        self.server = login.server
        super().__init__(login, *arguments, **options)

    def at(self, path):
        return os.path.join(self.server.top, self.canonicalize(path).lstrip("/"))

    def attributes(self, status, path):
        found = paramiko.SFTPAttributes.from_stat(status, os.path.basename(path))
        if os.path.basename(path) in self.server.lies and stat.S_ISREG(status.st_mode):
            found.st_size += self.server.lies[os.path.basename(path)]
        return found

    @answered
    def list_folder(self, path):
        here = self.at(path)
        return [self.attributes(os.lstat(os.path.join(here, name)), name) for name in os.listdir(here)]

    @answered
    def stat(self, path):
        return self.attributes(os.stat(self.at(path)), path)

    @answered
    def lstat(self, path):
        return self.attributes(os.lstat(self.at(path)), path)

    @answered
    def open(self, path, flags, attr):
        if self.server.open >= self.server.handles:
            return paramiko.SFTP_FAILURE
        return Handle(self, self.at(path), flags)

    @answered
    def remove(self, path):
        os.remove(self.at(path))
        return paramiko.SFTP_OK

    @answered
    def rename(self, oldpath, newpath):
        if os.path.lexists(self.at(newpath)):
            return paramiko.SFTP_FAILURE
        os.rename(self.at(oldpath), self.at(newpath))
        return paramiko.SFTP_OK

    @answered
    def mkdir(self, path, attr):
        os.mkdir(self.at(path))
        return paramiko.SFTP_OK


class Packets(paramiko.SFTPServer):
    """limits@openssh.com, if there are any."""

    def _send_packet(self, t, packet):
        if t == paramiko.sftp.CMD_VERSION and self.server.server.most_read:
            packet.add_string("limits@openssh.com")
            packet.add_string("1")
        super()._send_packet(t, packet)

    def _process(self, t, request, message):
        if t != paramiko.sftp.CMD_EXTENDED or not self.server.server.most_read:
            return super()._process(t, request, message)
        reply = paramiko.Message()
        reply.add_int(request)
        for limit in (1 << 20, self.server.server.most_read, 32_768, 0):
            reply.add_int64(limit)
        self._send_packet(paramiko.sftp.CMD_EXTENDED_REPLY, reply)


class Login(paramiko.ServerInterface):
    def __init__(self, server):
        self.server = server

    def get_allowed_auths(self, username):
        return ",".join(self.server.ways)

    def check_auth_password(self, username, password):
        self.server.asked.append("password")
        return paramiko.AUTH_SUCCESSFUL if "password" in self.server.ways and password == self.server.password else paramiko.AUTH_FAILED

    def check_auth_interactive(self, username, submethods):
        self.server.asked.append("keyboard-interactive")
        return paramiko.InteractiveQuery("", "", ("Password: ", False)) if "keyboard-interactive" in self.server.ways else paramiko.AUTH_FAILED

    def check_auth_interactive_response(self, responses):
        return paramiko.AUTH_SUCCESSFUL if responses == [self.server.password] else paramiko.AUTH_FAILED

    def check_channel_request(self, kind, chanid):
        return paramiko.OPEN_SUCCEEDED


class Scripted:
    """In threads of this process. lies: name -> bytes that are told too many; full: nothing can be written; handles: files that may be open at once;
    piece: most bytes of an answer; most_read: what the server tells of that (0: nothing), reads: how many were asked for, one by one."""

    def __init__(self, top, ways=("password",), password="open sesame"):
        self.top, self.ways, self.password = str(top), ways, password
        self.lies, self.full, self.asked = {}, False, []
        self.handles, self.piece, self.open, self.most_open = 1000, 1 << 20, 0, 0
        self.most_read, self.reads = 0, []
        self.key = paramiko.RSAKey.generate(2048)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.transports = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            transport.add_server_key(self.key)
            transport.set_subsystem_handler("sftp", Packets, Files)
            self.transports.append(transport)
            try:
                transport.start_server(threading.Event(), Login(self))
            except (EOFError, paramiko.SSHException):
                pass

    def settings(self, folder, **more):
        hosts = pathlib.Path(folder) / "known_hosts"
        hosts.write_text(f"[127.0.0.1]:{self.port} {self.key.get_name()} {self.key.get_base64()}\n")
        options = {"type": "sftp", "host": "127.0.0.1", "port": self.port, "user": "shop", "password": f'"{self.password}"',
                   "known_hosts": hosts, **more}
        return as_yaml(options)

    def stop(self):
        stop_listening(self.listener)
        for transport in self.transports:
            transport.close()
