#!/usr/bin/python3
"""Writes frames.jsonl of the basic scenarios.

Run make record SCENARIOS="test/conformance/recorded/basic/*/" after it.
"""
import json, os, sys
os.chdir(os.path.dirname(os.path.realpath(__file__)))
sys.dont_write_bytecode = True
sys.path.insert(0, "../../../../tools/oracle")
from pkt import *

D0, D1 = "02:00:00:00:0d:00", "02:00:00:00:0d:01"          # the director's interfaces
C = {"10.0.0.1": "02:00:00:00:c0:01", "10.0.0.2": "02:00:00:00:c0:02"}
R = {"192.168.1.11": "02:00:00:00:a0:11", "192.168.1.12": "02:00:00:00:a0:12"}
rows = []


def at(t, dev, frame):
    rows.append({"t": t, "if": dev, "hex": frame.hex()})


def cmd(t, c):
    rows.append({"t": t, "cmd": c})


def save(name):
    with open(f"{name}/frames.jsonl", "w") as f:
        f.writelines(json.dumps(r) + "\n" for r in rows)
    rows.clear()


def session(t, cip, cport, vip, vport, rip, rport):
    """A whole TCP connection, both directions, through a NAT director."""
    c = lambda dt, fl, seq, ack, data=b"": at(t + dt, "eth0", eth(D0, C[cip], tcp(cip, cport, vip, vport, fl, seq, ack, data, ident=100 + dt)))
    s = lambda dt, fl, seq, ack, data=b"": at(t + dt, "eth1", eth(D1, R[rip], tcp(rip, rport, cip, cport, fl, seq, ack, data, ident=500 + dt)))
    req, rsp = b"GET / HTTP/1.0\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\nhi\n"
    c(0, "S", 1000, 0)
    s(1, "SA", 5000, 1001)
    c(2, "A", 1001, 5001)
    c(3, "PA", 1001, 5001, req)
    s(4, "PA", 5001, 1001 + len(req), rsp)
    c(5, "FA", 1001 + len(req), 5001 + len(rsp))
    s(6, "FA", 5001 + len(rsp), 1002 + len(req))
    c(7, "A", 1002 + len(req), 5002 + len(rsp))


# rr starts with the real server that was added last
session(0, "10.0.0.1", 40001, "10.0.0.100", 80, "192.168.1.12", 8081)
session(10, "10.0.0.2", 40002, "10.0.0.100", 80, "192.168.1.11", 8080)
cmd(100, "ipvsadm -Lnc")
cmd(3000, "ipvsadm -Ln --stats")          # the kernel sums the counters every 2 s
at(3500, "eth0", eth(D0, C["10.0.0.1"], tcp("10.0.0.1", 40003, "10.0.0.100", 81, "S", 1)))     # no such service: RST
cmd(125000, "ipvsadm -Lnc")                                                                    # TIME_WAIT (120 s) is over
save("nat-basic")

for i in range(4):
    at(i * 10, "eth0", eth(D0, C["10.0.0.1"], tcp("10.0.0.1", 41000 + i, "10.0.0.100", 80, "S", 7)))
    at(i * 10 + 5, "eth0", eth(D0, C["10.0.0.1"], tcp("10.0.0.1", 41000 + i, "10.0.0.100", 80, "A", 8, 1)))
for i in range(2):
    at(50 + i, "eth0", eth(D0, C["10.0.0.2"], udp("10.0.0.2", 5000 + i, "10.0.0.100", 53, b"query", ttl=1 if i else 64)))
cmd(100, "ipvsadm -Lnc")
cmd(3000, "ipvsadm -Ln --stats")
save("dr-basic")

session(0, "10.0.0.1", 42001, "203.0.113.7", 80, "192.168.1.12", 80)
session(10, "10.0.0.1", 42002, "203.0.113.9", 443, "192.168.1.11", 443)
cmd(100, "ipvsadm -Lnc")
cmd(3000, "ipvsadm -Ln --stats")
cmd(100, "nft list ruleset")
save("fwmark-vipless")
