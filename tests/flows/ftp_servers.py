# SPDX-License-Identifier: Apache-2.0
"""Servers for storages of the type ftp, on free ports of the loopback: vsftpd, and one that breaks the rules."""
import os
import pathlib
import socket
import stat
import subprocess
import threading
import time

from certificates import self_signed
from lines import Started, as_yaml, stop_listening, wait_for_port, with_parent
from ports import free_port

VSFTPD = "/usr/sbin/vsftpd"
# As whoever runs the tests: then there are no logins but the anonymous one.
CONFIG = """listen=YES
listen_address=127.0.0.1
listen_port={port}
background=NO
run_as_launching_user=YES
seccomp_sandbox=NO
isolate=NO
isolate_network=NO
connect_from_port_20=NO
secure_chroot_dir={folder}/empty
anonymous_enable=YES
no_anon_password=YES
local_enable=NO
anon_root=/
anon_upload_enable=YES
anon_mkdir_write_enable=YES
anon_other_write_enable=YES
anon_world_readable_only=NO
anon_umask=022
write_enable=YES
vsftpd_log_file={folder}/log
xferlog_enable=YES
dual_log_enable=NO
"""
TLS = """ssl_enable=YES
allow_anon_ssl=YES
force_anon_logins_ssl=YES
force_anon_data_ssl=YES
rsa_cert_file={folder}/certificate
ssl_ciphers=HIGH
implicit_ssl={implicit}
"""


class Vsftpd(Started):
    """tls: none, explicit or implicit. It knows no MLSD."""

    def __init__(self, folder, tls="none"):
        self.folder, self.tls, self.port = pathlib.Path(folder), tls, free_port()
        (self.folder / "empty").mkdir()
        text = CONFIG.format(port=self.port, folder=self.folder)
        if tls != "none":
            self_signed(self.folder / "certificate", self.folder / "certificate")
            text += TLS.format(folder=self.folder, implicit="YES" if tls == "implicit" else "NO")
        (self.folder / "config").write_text(text)
        self.process = subprocess.Popen([VSFTPD, self.folder / "config"], preexec_fn=with_parent)
        wait_for_port(self.port)

    def settings(self, directory, port=None, **more):
        options = {"type": "ftp", "host": "127.0.0.1", "port": port or self.port, "user": "anonymous", "tls": self.tls, "directory": directory}
        if self.tls != "none":
            options["ca_file"] = self.folder / "certificate"
        return as_yaml({**options, **more})

    def logins(self):
        log = self.folder / "log"       # it is made with the first line
        return log.read_text().count("OK LOGIN") if log.exists() else 0


# ---------------------------------------------------------------- a server that breaks the rules

class Session(threading.Thread):
    """One connection; the server says how it is to behave."""

    def __init__(self, server, connection):
        super().__init__(daemon=True)
        self.server, self.connection, self.data = server, connection, None
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)     # it says two lines in a row
        self.cwd, self.from_name, self.is_too_many = "/", None, False

    def say(self, *lines):
        self.connection.sendall("".join(f"{line}\r\n" for line in lines).encode())

    def at(self, path):
        return pathlib.Path(self.server.top + os.path.normpath(os.path.join(self.cwd, path)))

    def run(self):
        try:
            if not self.come_in():
                return
            for line in self.connection.makefile("rb"):
                verb, _, argument = line.decode().rstrip("\r\n").partition(" ")
                self.server.heard.append((verb, argument))
                if self.answer(verb, argument) == "hang up":
                    break
            self.connection.shutdown(socket.SHUT_RDWR)
        except (ConnectionError, OSError):
            pass        # the client hung up
        finally:
            self.connection.close()
            with self.server.lock:
                self.server.inside -= 1

    def come_in(self):
        with self.server.lock:
            self.server.inside += 1
            self.is_too_many = self.server.most is not None and self.server.inside > self.server.most
            self.server.refused += self.is_too_many
        at_once = self.is_too_many and self.server.refuses == "421"
        self.say("421 There are too many connections from your address." if at_once else "220 here")
        return not at_once

    def answer(self, verb, argument):
        call = getattr(self, f"do_{verb.lower()}", None)
        if verb in self.server.unknown or not call:
            return self.say("502 not known")
        try:
            return call(argument)
        except (FileNotFoundError, FileExistsError, NotADirectoryError, IsADirectoryError, PermissionError) as error:
            return self.say(f"550 {os.strerror(error.errno)}")

    def do_user(self, name):
        self.say("331 password")

    def do_pass(self, password):
        if self.is_too_many:
            return self.say("530 Sorry, the maximum number of clients is connected.")
        return self.say("230 in" if password == self.server.password else "530 Login incorrect.")

    def do_feat(self, _):
        facts = [" MLST type*;size*;modify*;"] if self.server.facts else []
        self.say("211-features", *facts, " UTF8", "211 end")

    def do_opts(self, _):
        self.say("200 yes")

    def do_pwd(self, _):
        self.say(f'257 "{self.cwd}"')

    def do_type(self, _):
        self.say("200 yes")

    def do_noop(self, _):
        self.say("200 yes")

    def do_cwd(self, path):
        if self.at(path).is_dir():
            self.cwd = os.path.normpath(os.path.join(self.cwd, path))
            return self.say("250 yes")
        return self.say("550 no such directory")

    def size_of(self, path):
        return path.stat().st_size + self.server.lies.get(path.name, 0)

    def do_size(self, name):
        path = self.at(name)
        self.say(f"213 {self.size_of(path)}" if path.is_file() else "550 no such file")

    def do_mdtm(self, name):
        path = self.at(name)
        self.say(time.strftime("213 %Y%m%d%H%M%S", time.gmtime(path.stat().st_mtime)) if path.exists() else "550 no such file")

    def do_epsv(self, _):
        if self.data:
            self.data.close()
        self.data = socket.create_server(("127.0.0.1", 0))
        self.say(f"229 (|||{self.data.getsockname()[1]}|)")

    def facts_of(self, path):
        kind = "dir" if path.is_dir() else "file"
        when = time.strftime("%Y%m%d%H%M%S", time.gmtime(path.stat().st_mtime))
        return f"type={kind};size={self.size_of(path)};modify={when}; {path.name}"

    def do_mlst(self, name):
        path = self.at(name)
        if path.exists():
            self.say("250-here", " " + self.facts_of(path), "250 end")
        else:
            self.say("550 nothing of that name")

    def line_of(self, path):
        status = path.stat()
        when = time.strftime("%b %d %H:%M" if time.time() - status.st_mtime < 150 * 86400 else "%b %d  %Y", time.gmtime(status.st_mtime))
        return f"{stat.filemode(status.st_mode)} 1 an owner {self.size_of(path):8} {when} {path.name}"

    def send(self, data, whole=True):
        """The bytes as the server's faults have it."""
        self.say("150 coming")
        channel, _ = self.data.accept()
        cut = self.server.cut
        channel.sendall(data if cut is None or not whole else data[:cut])
        if cut is not None and whole:
            self.server.broken += 1
            if self.server.breaks == "stall":
                self.server.held.append(channel)
                return None
            if self.server.breaks == "hang up":
                channel.close()
                return "hang up"
        channel.close()
        return self.say("226 done" if not (whole and self.server.unfinished) else "426 not done")

    def listing(self, line):
        return "".join(f"{line(path)}\r\n" for path in sorted(self.at(".").iterdir())).encode()

    def do_mlsd(self, _):
        return self.send(self.listing(self.facts_of), whole=False)

    def do_list(self, argument):
        if argument:
            return self.say("550 no such directory")
        return self.send(self.listing(self.line_of), whole=False)

    def do_retr(self, name):
        data = self.at(name).read_bytes()
        if self.at(name).name not in self.server.cut_once:
            return self.send(data)
        self.server.cut_once.remove(self.at(name).name)
        self.server.broken += 1
        self.send(data[:5], whole=False)
        return "hang up" if self.server.breaks == "hang up" else None

    def do_stor(self, name):
        if self.server.full:
            return self.say("552 quota exceeded")
        self.say("150 ready")
        channel, _ = self.data.accept()
        with self.at(name).open("wb") as file:
            while piece := channel.recv(65536):
                file.write(piece[:self.server.keeps] if self.server.keeps is not None else piece)
        channel.close()
        with self.server.lock:
            lost = self.server.loses > 0
            self.server.loses -= lost
        return "hang up" if lost else self.say("226 done")

    def do_mkd(self, name):
        self.at(name).mkdir()
        return self.say('257 "made"')

    def do_dele(self, name):
        self.at(name).unlink()
        return self.say("250 gone")

    def do_rnfr(self, name):
        self.from_name = name
        self.say("350 to what?" if self.at(name).exists() else "550 no such file")

    def do_rnto(self, name):
        taken = self.at(name).exists()
        if not self.server.renames or (taken and self.server.renames != "over"):
            return self.say("550 Cannot create a file when that file already exists.")
        self.at(self.from_name).rename(self.at(name))
        if self.server.renames == "new, once":
            self.server.renames = ""
        return self.say("250 renamed")

    def do_quit(self, _):
        self.say("221 bye")
        return "hang up"


class Scripted:
    """In threads of this process. facts: it knows MLSD; cut: after so many bytes of a file it stalls, hangs up or ends as if that was all
    (breaks); cut_once: names of files of which this happens once, after five bytes; most: connections that it takes, it refuses what is more
    by 421, or 530 where somebody logs in (refuses); unfinished: the transfer is not confirmed; lies: name -> bytes that are told too many;
    renames: over other files ("over"), to new names ("new"), once ("new, once"), never (""); keeps: bytes of each piece that it writes; loses: connections
    that end when a file was written, without a word; unknown: commands."""

    def __init__(self, top, facts=True, password="open sesame"):
        self.top, self.facts, self.password = str(top), facts, password
        self.cut, self.breaks, self.unfinished, self.lies, self.renames, self.keeps, self.full = None, "drop", False, {}, "over", None, False
        self.loses = 0
        self.cut_once, self.most, self.refuses, self.inside, self.refused, self.lock = set(), None, "421", 0, 0, threading.Lock()
        self.unknown, self.heard, self.held, self.broken = set(), [], [], 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            Session(self, connection).start()

    def settings(self, **more):
        return as_yaml({"type": "ftp", "host": "127.0.0.1", "port": self.port, "user": "shop", "password": f'"{self.password}"', "tls": "none", **more})

    def stop(self):
        stop_listening(self.listener)
        for channel in self.held:
            channel.close()
