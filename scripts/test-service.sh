#!/bin/sh
# Inside a booted Debian that has the package: does the service do what docs/service.md says? (scripts/test-deb.sh)
failed=0 passed=0
check() {
  if out=$(eval "$2" 2>&1); then passed=$((passed + 1)); echo "✔ $1"; else
    failed=$((failed + 1)); echo "✘ $1: $2"; echo "$out" | tail -n 20; fi
}
# until_true SECONDS WHAT
until_true() { i=0; while ! eval "$2"; do i=$((i + 1)); [ $i -lt $(($1 * 2)) ] || return 1; sleep 0.5; done; }
show() { systemctl show -P "$1" ulvs; }
log() { journalctl -u ulvs -o cat; }
in_status() { grep -qE "^$1:[[:space:]]+$2" "/proc/$(show MainPID)/status"; }

# The virtual machine is emulated: everything takes many times as long as on a real one.
export SYSTEMD_BUS_TIMEOUT=600
mkdir -p /run/systemd/system/ulvs.service.d
printf '[Service]\nTimeoutStartSec=600\nWatchdogSec=60\n' >/run/systemd/system/ulvs.service.d/slow.conf
systemctl daemon-reload
systemctl log-target journal # what systemd says of the unit is in the journal, as on any Debian

ip link add eth0 type veth peer name p0; ip addr add 10.0.0.254/24 dev eth0; ip link set eth0 up; ip link set p0 up
printf 'devices: [{ name: eth0, kind: packet }]\naccept: { arp: true }\nrules: |\n  -A -t 10.0.0.100:80 -s rr\n' >/etc/ulvs/director.yaml

check 'starts, and systemd waits until it is ready' 'systemctl start ulvs && [ "$(show ActiveState)" = active ]'
check 'is known to systemctl' 'systemctl cat ulvs | grep -qx Type=notify'
check 'answers as soon as it is started' 'ulvsadm -Sn | grep -x -- "-A -t 10.0.0.100:80 -s rr"'
check 'says what it does in systemctl status' 'show StatusText | grep "forwarding: 1 service, 0 connections"'
check 'is the user ulvs' 'in_status Uid "$(id -u ulvs)" && in_status Gid "$(id -g ulvs)"'
check 'shares its sockets with the two groups' 'stat -c %a-%G /run/ulvs/ulvs.sock | grep -x 660-ulvs && stat -c %a-%G /run/ulvs/ulvs-ro.sock | grep -x 660-ulvs-ro'
for user in ulvs:anna ulvs-ro:rosa users:otto; do useradd -M -s /bin/sh -G "${user%:*}" "${user#*:}"; done
as() { user=$1; shift; runuser -u "$user" -- "$@"; }
RO='ulvsadm --socket /run/ulvs/ulvs-ro.sock'
check 'lets a member of group ulvs change rules' 'as anna ulvsadm -A -f 7 -s rr && as anna ulvsadm -D -f 7'
check 'lets a member of group ulvs-ro list them' "as rosa $RO -Sn | grep 10.0.0.100:80 && ! as rosa $RO -A -f 7 -s rr && ! as rosa ulvsadm -Sn"
check 'refuses others' "! as otto ulvsadm -Sn && ! as otto $RO -Sn"
check 'has their changes in its log, with their names' 'log | grep "\"uid\":$(id -u anna)"'
check 'has four capabilities in its bounding set' 'in_status CapBnd 000000c000003000 && in_status CapEff 000000c000003000'
check 'gives nft CAP_NET_ADMIN alone' 'in_status CapAmb 0000000000001000'
check 'has a seccomp filter and no new privileges' 'in_status Seccomp 2 && in_status NoNewPrivs 1'
check 'may have the two lowest real-time priorities' 'grep -qE "^Max realtime priority +2 +2 " "/proc/$(show MainPID)/limits"'
check 'has its rules in nft' 'nft list ruleset | grep -q "elements = .*10\.0\.0\.100"'
check 'has its TUN with rp_filter 2' '[ "$(sysctl -n net.ipv4.conf.ulvs0.rp_filter)" = 2 ]'
check 'warns of nothing' '! log | grep -E "\"level\":(40|50|\"warn\"|\"error\")"'

printf 'devices: [{ name: eth0, kind: packet }]\naccept: { arp: true }\nrules: |\n  -A -t 10.0.0.100:81 -s rr\n' >/etc/ulvs/director.yaml
pid=$(show MainPID)
check 'reloads' 'systemctl reload ulvs && until_true 60 "ulvsadm -Sn | grep -q 10.0.0.100:81" && [ "$(show MainPID)" = "$pid" ]'
check 'is active after the reload' 'until_true 10 "[ \"\$(show ActiveState)\" = active ]"'

# A client and a realserver at the other end, and a connection that must go on.
ip netns add far; ip link set p0 netns far
ip -n far addr add 10.0.0.1/24 dev p0; ip -n far addr add 10.0.0.11/24 dev p0; ip -n far link set p0 up
ulvsadm -A -u 10.0.0.100:53 -s rr && ulvsadm -a -u 10.0.0.100:53 -r 10.0.0.11 -g
ip netns exec far bash -c 'echo ask >/dev/udp/10.0.0.100/53'
has_connection() { ulvsadm -Lnc | grep -q "UDP.*10.0.0.1:.*10.0.0.100:53.*10.0.0.11:53"; }
check 'has a connection' 'until_true 30 has_connection'
upgraded() { [ "$(show MainPID)" != "$old" ] && [ ! -e "/proc/$old" ] && [ "$(show ActiveState)" = active ]; }
for n in 1 2; do
  old=$(show MainPID)
  check "is upgraded by SIGUSR2, time $n" 'systemctl kill --signal=SIGUSR2 --kill-whom=main ulvs && until_true 300 upgraded && log | grep "took over from process $old"'
  check "and goes on with rules and connections, time $n" 'ulvsadm -Sn | grep 10.0.0.100:81 && has_connection'
  check "in the same sandbox, time $n" 'in_status Seccomp 2 && in_status NoNewPrivs 1 && in_status CapEff 000000c000003000 && [ "$(ps -o ni= -p $(show MainPID) | tr -d " ")" = 0 ]'
done
check 'has not been restarted for that' '[ "$(show NRestarts)" = 0 ]'
old=$(show MainPID)
cp /etc/ulvs/director.yaml /tmp/good.yaml; echo 'devicess: []' >/etc/ulvs/director.yaml
check 'goes on when the successor fails' 'systemctl kill --signal=SIGUSR2 --kill-whom=main ulvs && until_true 300 "log | grep -q \"the successor has ended\"" && [ "$(show MainPID)" = "$old" ] && has_connection'
cp /tmp/good.yaml /etc/ulvs/director.yaml

check 'is restarted after kill -9' 'kill -9 $(show MainPID); until_true 120 "[ \"\$(show NRestarts)\" = 1 ] && ulvsadm -Sn >/dev/null 2>&1"'
printf '[Service]\nWatchdogSec=15\n' >/run/systemd/system/ulvs.service.d/watchdog.conf
systemctl daemon-reload; systemctl restart ulvs
check 'lives under a watchdog of 15 seconds' 'pid=$(show MainPID); sleep 32; [ "$(show MainPID)" = "$pid" ]'
check 'is restarted by the watchdog when it hangs' 'kill -STOP $(show MainPID); until_true 120 "systemctl show -P NRestarts ulvs | grep -qx 1" && until_true 120 "ulvsadm -Sn >/dev/null 2>&1"'
check 'and that was the watchdog' 'log | grep "ulvs.service: Watchdog timeout"'

echo 'devicess: []' >/etc/ulvs/director.yaml; systemctl stop ulvs
check 'leaves nothing when it stops' '! nft list ruleset | grep -q ulvs && ! ip link show ulvs0 2>/dev/null && [ ! -e /run/ulvs/ulvs.sock ]'
check 'does not start with a mistake, and is not tried again' '! systemctl start ulvs && sleep 3 && [ "$(show ActiveState)" = failed ] && [ "$(show NRestarts)" = 0 ]'
check 'has the mistake in its log, in one line' 'log | grep "director.yaml:1: devicess: no such key; did you mean devices?"'
if [ -e /sys/fs/bpf ] && printf 'devices: [{ name: eth0, kind: xdp }]\n' >/etc/ulvs/director.yaml; then
  check 'runs AF_XDP without CAP_IPC_LOCK' 'systemctl start ulvs && log | grep "using xdp" && systemctl stop ulvs'
fi
[ $failed = 0 ] || journalctl --no-pager -u ulvs | tail -n 40
echo "test-service: $passed passed, $failed failed"
