#!/usr/bin/python3
"""Records what the real ipvsadm and kernel answer to every line of *.txt here, into *.jsonl: {"cmd", "rc", "out"} a line.

Usage: record.py [NAME...]     (ORACLE names the oracle's folder; each list starts with an empty table)
"""
import json, os, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
ORACLE = os.environ.get("ORACLE", "/work/shared/oracle")
names = sys.argv[1:] or sorted(f[:-4] for f in os.listdir(HERE) if f.endswith(".txt"))

with tempfile.TemporaryDirectory() as work:
    for name in names:
        os.mkdir(f"{work}/{name}")
        with open(f"{work}/{name}/setup.sh", "w") as setup:
            setup.write("sysctl -qw net.ipv6.conf.all.disable_ipv6=0\n")
        with open(f"{work}/{name}/frames.jsonl", "w") as frames:
            for t, line in enumerate(open(f"{HERE}/{name}.txt").read().splitlines()):
                frames.write(json.dumps({"t": t, "cmd": line}) + "\n")
    subprocess.run([f"{ORACLE}/replay", "--timeout", "1500", *(f"{work}/{n}" for n in names)], check=True)
    for name in names:
        with open(f"{HERE}/{name}.jsonl", "w") as out:
            for row in map(json.loads, open(f"{work}/{name}/out.jsonl")):
                if "rc" in row:
                    out.write(json.dumps({k: row[k] for k in ("cmd", "rc", "out")}) + "\n")
