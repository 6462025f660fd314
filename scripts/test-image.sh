#!/bin/bash
# Builds the Dockerfile by buildah (apt-get install buildah) and runs the image, both with chroot isolation, which needs no container
# engine and no registry: the base image is the Debian of scripts/test-deb.sh. With a registry, BASE=docker.io/library/debian:bookworm-slim.
set -euo pipefail
cd "$(dirname "$0")/.."
die() { echo "test-image: $*" >&2; exit 1; }
command -v buildah >/dev/null || die "apt-get install buildah"
base=${TMPDIR:-/var/tmp}/ulvs-test-deb/base
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
name=${BASE:-localhost/ulvs-base}
if [ -z "${BASE:-}" ]; then
  [ -e "$base/.done" ] || die "no Debian in $base: scripts/test-deb.sh makes it"
  from=$(buildah from scratch) && buildah add -q "$from" "$base" / >/dev/null && buildah commit -q "$from" "$name" >/dev/null
  buildah rm "$from" >/dev/null
fi
buildah bud -q --build-arg "BASE=$name" -t localhost/ulvs . >/dev/null || die "the image could not be built"
container=$(buildah from localhost/ulvs)
trap 'buildah rm "$container" >/dev/null' EXIT
# buildah takes `--cap-drop ALL` last: the defaults are dropped by name instead.
caps=()
for cap in CHOWN DAC_OVERRIDE FOWNER FSETID KILL NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT; do caps+=(--cap-drop "CAP_$cap"); done
for cap in NET_ADMIN NET_RAW BPF PERFMON IPC_LOCK; do caps+=(--cap-add "CAP_$cap"); done
run() { buildah run "${caps[@]}" "$container" -- "$@"; }
run grep CapEff /proc/self/status
run ulvs --version
run sh -c 'ip link add eth0 type veth peer name p0 && ip link set eth0 up && ip link set p0 up || exit
  ulvs run --device packet & director=$!
  for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do sleep 1; ulvs status 2>/dev/null && break; done
  ulvsadm -A -t 10.0.0.1:80 -s rr && ulvsadm -Sn && nft list tables; kill $director; wait $director && echo "test-image: passed"'
