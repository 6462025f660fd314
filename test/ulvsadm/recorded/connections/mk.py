#!/usr/bin/python3
"""Writes frames.jsonl; ../record.py runs it."""
import json, os, socket, struct, sys
sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.environ.get("ORACLE", f"{HERE}/../../../../../tools/oracle"))
from pkt import *

D0, C = "02:00:00:00:0d:00", "02:00:00:00:c0:01"
rows = []
t = 0


def at(frame):
    global t
    rows.append({"t": t, "if": "eth0", "hex": frame.hex()})
    t += 1


def tcp6(src, sport, dst, dport):
    """A SYN over IPv6."""
    a, b = (socket.inet_pton(socket.AF_INET6, x) for x in (src, dst))
    seg = struct.pack(">HHIIBBHHH", sport, dport, 1, 0, 0x50, 2, 64240, 0, 0)
    total = csum(a + b + struct.pack(">II", len(seg), 6) + seg)
    return struct.pack(">IHBB", 6 << 28, len(seg), 6, 64) + a + b + seg[:16] + struct.pack(">H", total) + seg[18:]


def sctp(sport, dport):
    """An INIT; nobody looks at its checksum."""
    return struct.pack(">HHII", sport, dport, 0, 0) + struct.pack(">BBHIIHHI", 1, 0, 20, 1, 65535, 1, 1, 1)


def invite(call):
    return f"INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1\r\nCall-ID: {call}\r\nContent-Length: 0\r\n\r\n".encode()


at(eth(D0, C, tcp("10.0.0.1", 40001, "10.0.0.100", 80, "S", 1)))
at(eth(D0, C, udp("10.0.0.1", 5060, "10.0.0.100", 5060, invite("7f3a@phone"))))
at(eth(D0, C, udp("10.0.0.1", 5061, "10.0.0.100", 5060, invite("a-much-longer-call-id-0123456789@phone.example"))))
at(eth(D0, C, tcp("10.0.0.1", 40002, "10.0.0.100", 8001, "S", 1)))
at(eth(D0, C, tcp6("2001:db8:0:1::1", 40003, "2001:db8:0:1::100", 443), 0x86DD))
at(eth(D0, C, ipv4("10.0.0.1", "10.0.0.100", 132, sctp(40004, 99))))
for listing in ("cat /proc/net/ip_vs_conn", "ipvsadm -Lnc", "ipvsadm -Lc", "ipvsadm -Lnc --persistent-conn", "ipvsadm -L -c --persistent-conn", "ipvsadm -Lnc --nosort --exact"):
    rows.append({"t": 10, "cmd": listing})
with open(f"{HERE}/frames.jsonl", "w") as f:
    f.writelines(json.dumps(r) + "\n" for r in rows)
