#!/bin/bash
# What `ulvs exec` costs: cost.sh [RUNS]. Times `ipvsadm -Ln` of 1,000 services with 3 real servers each over netlink and over socket
# options, `ulvs exec -- true`, and a getsockopt(2) that is not IPVS's without and under `ulvs exec`. Root; run it on an idle machine.
set -euo pipefail
cd "$(dirname "$0")/../../.."
[ -n "${IN_NAMESPACE:-}" ] || exec env IN_NAMESPACE=1 unshare --net --mount bash "$0" "$@"
runs=${1:-5} folder=$(mktemp -d)
for part in usr/sbin sbin; do PATH=$PATH:$PWD/.tools/debian/$part; done
for part in usr/lib lib; do for one in .tools/debian/$part/*-linux-gnu; do LIBRARIES=${LIBRARIES:-}${LIBRARIES:+:}$PWD/$one; done; done
export LD_LIBRARY_PATH=$LIBRARIES
command -v ipvsadm >/dev/null || { echo "cost.sh: no ipvsadm: scripts/setup.sh programs" >&2; exit 1; }
ip link set lo up; ip link add v0 type veth peer name v1; ip addr add 10.0.0.1/24 dev v0; ip link set v0 up; ip link set v1 up
for i in $(seq 0 999); do
  service=10.9.$((i / 250)).$((i % 250)):80
  echo "-A -t $service -s rr"
  for j in 11 12 13; do echo "-a -t $service -r 10.0.0.$j:8080 -m"; done
done >"$folder/rules"
node dist/cli/main.js run --rules "$folder/rules" --device packet --socket "$folder/socket" >"$folder/log" 2>&1 & director=$!
trap 'kill $director; wait $director || true; rm -rf "$folder"' EXIT
for _ in $(seq 300); do grep -q 'director is up' "$folder/log" && break; sleep 0.1; done
TIMEFORMAT='%R'
under=(node dist/cli/main.js exec --socket "$folder/socket" --)
times() { # WORDS COMMAND...: seconds of each run
  local words=$1; shift
  echo "$words: $(for _ in $(seq "$runs"); do { time "$@" >/dev/null; } 2>&1; done | sort -n | tr '\n' ' ')s"
}
lines=$("${under[@]}" ipvsadm -Ln | wc -l)
[ "$lines" = 4003 ] || { echo "cost.sh: $lines lines, not 4003" >&2; exit 1; }
times 'ipvsadm -Ln over netlink' "${under[@]}" ipvsadm -Ln
times 'ipvsadm -Ln over socket options' env ULVS_EXEC_NO_NETLINK=1 "${under[@]}" ipvsadm -Ln
times 'ulvs exec -- true' "${under[@]}" true
cat >"$folder/call.py" <<'EOF'
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
best = min((lambda begin: [s.getsockopt(1, 3) for _ in range(200000)] and time.perf_counter() - begin)(time.perf_counter()) for _ in range(7))
print("%.3f us" % (best / 200000 * 1e6))
EOF
for _ in 1 2 3; do
  echo "getsockopt(SO_TYPE) from Python, best of 7: $(python3 "$folder/call.py") without, $("${under[@]}" python3 "$folder/call.py") under ulvs exec"
done
