"""A real FTP server (pyftpdlib) on port 21 of every address, anonymous and writable; active data comes from port 20.

usage: ftpserver.py DIRECTORY. Says "ready" on stdout, then each command and answer on stderr.
"""
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import ActiveDTP, FTPHandler
from pyftpdlib.servers import FTPServer


class FromPort20(ActiveDTP):
    """RFC 959, 3.2: the server's data port is one below its control port; pyftpdlib takes any."""

    def connect_af_unspecified(self, addr, source_address=None):
        return super().connect_af_unspecified(addr, source_address and (source_address[0], 20))

    def create_socket(self, *args, **kwargs):
        super().create_socket(*args, **kwargs)
        self.set_reuse_addr()


class Handler(FTPHandler):
    authorizer = DummyAuthorizer()
    active_dtp = FromPort20
    passive_ports = range(30000, 30100)


Handler.authorizer.add_anonymous(sys.argv[1], perm="elrw")
server = FTPServer(("::", 21), Handler)
print("ready", flush=True)
server.serve_forever()
