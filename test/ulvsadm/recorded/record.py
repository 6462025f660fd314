#!/usr/bin/python3
"""Records what the real ipvsadm and kernel answer, by the oracle (tools/oracle): to every line of NAME.txt, into NAME.jsonl
({"cmd", "rc", "out"} a line; each list starts with an empty table), and to the scenario folder NAME/, into NAME/out.jsonl.

Usage: record.py [NAME...]     (the variable ORACLE names another oracle's folder)
"""
import json, os, shutil, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
REPO = os.path.realpath(f"{HERE}/../../../..")
ORACLE = os.environ.get("ORACLE", f"{REPO}/tools/oracle")


def scenario_of_list(name, folder):
    os.mkdir(folder)
    with open(f"{folder}/setup.sh", "w") as setup:
        setup.write("sysctl -qw net.ipv6.conf.all.disable_ipv6=0\n")
    with open(f"{folder}/frames.jsonl", "w") as frames:
        for t, line in enumerate(open(f"{HERE}/{name}.txt").read().splitlines()):
            frames.write(json.dumps({"t": t, "cmd": line}) + "\n")


def save_list(name, folder):
    with open(f"{HERE}/{name}.jsonl", "w") as out:
        for row in map(json.loads, open(f"{folder}/out.jsonl")):
            if "rc" in row:
                out.write(json.dumps({k: row[k] for k in ("cmd", "rc", "out")}) + "\n")


everything = sorted(f.removesuffix(".txt") for f in os.listdir(HERE) if f.endswith(".txt") or os.path.isdir(f"{HERE}/{f}"))
names = sys.argv[1:] or everything
with tempfile.TemporaryDirectory() as work:
    for name in names:
        if os.path.isdir(f"{HERE}/{name}"):
            subprocess.run([f"{HERE}/{name}/mk.py"], check=True)
            shutil.copytree(f"{HERE}/{name}", f"{work}/{name}")
        else:
            scenario_of_list(name, f"{work}/{name}")
    subprocess.run([f"{ORACLE}/replay", "--timeout", "1500", *(f"{work}/{n}" for n in names)], check=True)
    for name in names:
        if os.path.isdir(f"{HERE}/{name}"):
            shutil.copyfile(f"{work}/{name}/out.jsonl", f"{HERE}/{name}/out.jsonl")
        else:
            save_list(name, f"{work}/{name}")
subprocess.run([f"{REPO}/test/conformance/tools/run", "annotate", HERE], check=True)
