#!/usr/bin/python3
"""Writes frames.jsonl. After it: make record SCENARIOS=test/control/rules/recorded/revival.

The kernel's counters move every 2 s only, so listings keep away from packets."""
import json, os, sys
sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.environ.get("ORACLE", f"{HERE}/../../../../../tools/oracle"))
from pkt import *

SERVICE, SERVER = "-t 10.0.0.100:80", "-r 192.168.1.11:8080"
LISTINGS = (f"ipvsadm -Ln --stats {SERVICE}", f"ipvsadm -Ln {SERVICE}")
rows = []


def syn(t):
    frame = eth("02:00:00:00:0d:00", "02:00:00:00:c0:01", tcp("10.0.0.1", 40000 + len(rows), "10.0.0.100", 80, "S", 1))
    rows.append({"t": t, "if": "eth0", "hex": frame.hex()})


def run(t, *commands):
    rows.extend({"t": t, "cmd": c} for c in (*commands, *LISTINGS))


syn(0)
syn(1)
run(4500)
run(5000, f"ipvsadm -d {SERVICE} {SERVER}", f"ipvsadm -a {SERVICE} {SERVER} -m -w 5")
run(10000)
run(10500, f"ipvsadm -e {SERVICE} {SERVER} -m -w 6")
run(11000, f"ipvsadm -D {SERVICE}", f"ipvsadm -A {SERVICE} -s rr")
run(11800, f"ipvsadm -a {SERVICE} {SERVER} -m")
syn(13000)
run(17000)
run(17500, f"ipvsadm -Z {SERVICE}")
syn(18500)
run(22500)
run(23000, "ipvsadm -Z")
run(23500, "ipvsadm -C", f"ipvsadm -A {SERVICE} -s wrr", f"ipvsadm -a {SERVICE} {SERVER} -g", f"ipvsadm -a {SERVICE} {SERVER} -m")
run(28500)
with open(f"{HERE}/frames.jsonl", "w") as f:
    f.writelines(json.dumps(r) + "\n" for r in rows)
