#!/bin/bash
# Tries build/deb/*.deb in a fresh Debian 12: installs it without a network, uses it, upgrades, removes and purges it; then boots
# that Debian's systemd in a small virtual machine and runs the service (scripts/test-service.sh). Root only. The Debian is made
# by debootstrap once, in $TMPDIR (/var/tmp), and copied for each run. NO_BOOT=1 leaves the virtual machine out.
set -euo pipefail
cd "$(dirname "$0")/.."
die() { echo "test-deb: $*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || die "debootstrap and chroot need root"
deb=$(ls build/deb/ulvs_*_"$(dpkg --print-architecture)".deb) || die "no package: make deb"
room=${TMPDIR:-/var/tmp}/ulvs-test-deb base=${TMPDIR:-/var/tmp}/ulvs-test-deb/base root=${TMPDIR:-/var/tmp}/ulvs-test-deb/root
[ -e "$room" ] || mkdir -m 755 "$room"
[ -O "$room" ] && [ ! -L "$room" ] || die "$room is not a folder of root"
PACKAGES=systemd,systemd-sysv,dbus,nftables,iproute2,libpcap0.8,libstdc++6,man-db,procps,kmod
if [ ! -e "$base/.done" ]; then
  echo "test-deb: debootstrap, once"
  rm -rf "$base" && debootstrap --variant=minbase --include=$PACKAGES bookworm "$base" >"$room/debootstrap.log" 2>&1 ||
    die "debootstrap failed: $room/debootstrap.log"
  touch "$base/.done"
fi

failed=0 passed=0
# check WORDS WHAT: the command line WHAT must succeed. Its output is shown when it does not.
check() {
  local out
  if out=$(eval "$2" 2>&1); then passed=$((passed + 1)); echo "✔ $1"; else
    failed=$((failed + 1)); echo "✘ $1: $2"; sed 's/^/    /' <<<"$out" | tail -n 15; fi
}
# Without a network, and without the host's devices.
inside() { # a line for sh
  unshare --net --mount --pid --fork chroot "$root" sh -c "mount -t proc proc /proc; mount -t devtmpfs dev /dev; ip link set lo up; $*"
}
files() { (cd "$root" && find . -xdev \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./tmp -o -path ./var/log -o -path ./var/cache \) -prune \
  -o -path './var/lib/dpkg/*-old' -prune -o -print | sort); }

rm -rf "$root" && cp -a "$base" "$root" && cp "$deb" "$root/tmp/ulvs.deb"
files >"$room/before"
check 'installs without a network' "inside DEBIAN_FRONTEND=noninteractive dpkg -i /tmp/ulvs.deb"
check 'says its version' "inside ulvs --version | grep -x $(node -p 'require("./package.json").version')"
check 'brings its own Node.js' "inside '! command -v node' && inside 'ulvs lab list' | grep -q '^nat '"
for page in ulvs ulvsadm director.yaml; do check "has the manual page $page" "inside man -w $page && inside man $page | grep -q ."; done
check 'has a unit that systemd understands' "inside systemd-analyze verify ulvs.service"
check 'does not start by itself' "[ \"\$(systemctl --root=$root is-enabled ulvs.service)\" = disabled ]"
check 'has a user without a shell' "grep -E '^ulvs:.*nologin$' $root/etc/passwd"
check 'takes nothing until a device is named' "! inside ulvs check /etc/ulvs/director.yaml && (inside ulvs check /etc/ulvs/director.yaml 2>&1 || true) | grep 'director.yaml:.*name a device'"
check 'gives ipvsadm its name' "inside ipvsadm --version | grep '^ipvsadm v1.31' && [ -L $root/usr/sbin/ipvsadm-save ]"
check 'completes in bash' "inside \"bash -c 'source /usr/share/bash-completion/completions/ulvs; complete -p ulvs'\""
DIRECTOR="ip link add eth0 type veth peer name p0; ip link set eth0 up; ip link set p0 up; ulvs run --device packet --user ulvs & director=\$!; for i in 1 2 3 4 5 6 7 8 9 10; do ulvs status && break; sleep 1; done >/dev/null 2>&1;"
check 'runs a director as ulvs, for ipvsadm' "inside '$DIRECTOR ipvsadm -A -t 10.0.0.1:80 -s rr && ipvsadm-save -n; kill \$director; wait' | grep -x -- '-A -t 10.0.0.1:80 -s rr'"
check 'restores what ipvsadm-save wrote' "inside '$DIRECTOR echo -A -f 1 -s wlc | ipvsadm-restore && ipvsadm -Ln; kill \$director; wait' | grep '^FWM  1 wlc'"
echo 'devices: [{ name: eth0 }] # mine' >"$root/etc/ulvs/director.yaml"
check 'keeps a changed configuration when it is installed again' "inside DEBIAN_FRONTEND=noninteractive dpkg -i --force-confdef --force-confold /tmp/ulvs.deb && grep -q mine $root/etc/ulvs/director.yaml"
rm -rf "$room/booted" && cp -a "$root" "$room/booted"
check 'can be removed; the configuration stays' "inside dpkg -r ulvs && [ -e $root/etc/ulvs/director.yaml ] && [ ! -e $root/usr/bin/ulvs ] && [ ! -L $root/usr/sbin/ipvsadm ]"
check 'can be purged' "inside dpkg -P ulvs"
# Debian keeps system users; files of theirs may be left. man-db and ldconfig keep indices of their own.
left() { files | comm -13 "$room/before" - | grep -vE '^\./(etc/(passwd|group|shadow|gshadow)-|run(/.*)?|var/lib/systemd/.*|root/\..*)$' || true; }
check 'leaves nothing behind' "left | tee /dev/stderr | wc -l | grep -qx 0 && [ ! -e $root/run/ulvs ] && [ ! -e $root/var/lib/ulvs ]"

if [ -z "${NO_BOOT:-}" ]; then
  echo 'devices: [{ name: eth0, kind: packet }]' >"$room/booted/etc/ulvs/director.yaml"
  install -m 755 scripts/test-service.sh "$room/booted/root/test-service.sh"
  cp scripts/boot-debian.sh "$room/" && rm -f "$room/booted.log"
  check 'runs as a service of systemd' "tools/oracle/guest --timeout 3000 --mem 1536 --cpus 2 -- sh $room/boot-debian.sh $room/booted /root/test-service.sh >$room/booted.log; cat $room/booted.log; tail -n 1 $room/booted.log | grep ' 0 failed'"
  sed -n '/^[✔✘]/s/^/    /p' "$room/booted.log"
fi
echo "test-deb: $passed passed, $failed failed"
[ "$failed" = 0 ]
