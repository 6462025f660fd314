#!/bin/bash
# Installs what ulvs needs and this machine lacks, and says what; quiet when nothing is missing.
# Debian packages by apt (with sudo when not root), Node.js 20 from npm where Debian's is older, node_modules by `npm ci`.
# `setup.sh deb` also installs what builds and tries the Debian package; `setup.sh bench` what only the benchmarks need, and
# what cannot be installed of that is said and left out.
# `setup.sh programs` fetches the programs that the tests of `ulvs exec` start, and installs Chromium, zsh and fish.
set -euo pipefail
cd "$(dirname "$0")/.."
exec 9<scripts/setup.sh && flock 9 # two makes at once must not both install

say() { echo "setup: $*"; }
die() { echo "setup: $*" >&2; exit 1; }
root() { if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
  die "need root for '$*': run as root, or install sudo"; fi; }
# failed LOG SENTENCE: ends. Without a network the sentence says enough; else the log's last lines come first.
failed() {
  if grep -qE 'EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|ERR_SOCKET_TIMEOUT|Temporary failure resolving|Could not (resolve|connect)' "$1"; then
    die "$2: the package server cannot be reached. Is there a network? What is here once is not fetched again (log: $1)"
  fi
  tail -n 20 "$1" >&2
  die "$2 (log: $1)"
}
# dist, node_modules and .tools are made here.
if [ ! -w . ] || [ -n "$(find dist ! -writable -print -quit 2>/dev/null)" ]; then
  die "$(id -un) may not write $PWD (or what is in its dist): clone ulvs where you may, or be its owner (sudo make …)"
fi
node_major() { node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0; }

# what shows that it is there (a command or a file)        the package that brings it
NEEDED="
ip iproute2            nft nftables            tcpdump tcpdump        ethtool ethtool
curl curl              ping iputils-ping       ps procps              python3 python3
make make              g++ g++                 gcc gcc                /usr/include/pcap/pcap.h libpcap-dev
tmux tmux              traceroute traceroute  iperf3 iperf3           /usr/lib/python3/dist-packages/pyftpdlib/__init__.py python3-pyftpdlib
/etc/ssl/certs/ca-certificates.crt ca-certificates
"
# What ulvs is held against in bench/, and what loads it there.
BENCH="
haproxy haproxy        nginx nginx-light       wrk wrk                dpdk-testpmd dpdk-dev
/usr/lib/nginx/modules/ngx_stream_module.so libnginx-mod-stream
stdbuf coreutils       taskset util-linux      keepalived keepalived
redis-server redis-server                      dnsmasq dnsmasq-base
"
# What builds and tries the Debian package.
DEB="
dh debhelper           lintian lintian        debootstrap debootstrap
qemu-system-x86_64 qemu-system-x86            busybox busybox-static       depmod kmod
"
# Programs that drive IPVS, that labs start (BIRD, etcd), or that judge the metrics. Installed, most of them would start as
# services on this machine, so their packages, and those that they need and this machine lacks, are only unpacked, into
# .tools/debian. It needs no root.
PROGRAMS="
ipvsadm ipvsadm        keepalived keepalived   ldirectord ldirectord  prometheus-node-exporter prometheus-node-exporter
bird bird2             etcd etcd-server        etcdctl etcd-client
prometheus prometheus  promtool prometheus
"
# Real servers of the measurements in bench/health, unpacked likewise.
CHECKED="
postgres postgresql-15 mariadbd mariadb-server-core mariadb-admin mariadb-client
named bind9            aiosmtpd python3-aiosmtpd
lib/python3/dist-packages/grpc/__init__.py python3-grpcio
"
# The browser that drives the console's page in the tests, and the shells whose completion is tested. They start nothing, so
# they are installed.
TESTED="/usr/bin/chromium chromium            zsh zsh                fish fish"
present() { case $1 in /*) [ -e "$1" ] ;; lib/*) [ -e "/usr/$1" ] || [ -e ".tools/debian/usr/$1" ] ;; *) command -v "$1" >/dev/null ;; esac; }

missing_packages() { # of a list as above
  local PATH=$PATH:/usr/sbin:/sbin # an unprivileged user's PATH lacks them
  set -- $1
  while [ $# -gt 0 ]; do present "$1" || echo "$2"; shift 2; done | sort -u
}

apt_install() {
  command -v apt-get >/dev/null || die "missing: $*. Without apt-get, install them by your own package manager"
  say "apt-get install $*"
  local log; log=$(mktemp)
  { root apt-get update && root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; } \
    >"$log" 2>&1 </dev/null || failed "$log" "apt-get could not install $*"
  rm -f "$log"
}

unpack_programs() { # of a list as above
  local there=$PWD/.tools/debian names files log
  local PATH=$there/sbin:$there/usr/sbin:$there/usr/bin:$there/usr/lib/postgresql/15/bin:/usr/lib/postgresql/15/bin:$PATH
  names=$(missing_packages "$1")
  [ -n "$names" ] || return 0
  command -v apt-get >/dev/null || die "missing: $names. Without apt-get, install them by your own package manager"
  say "apt-get download $(echo $names) (unpacked into .tools/debian)"
  log=$(mktemp)
  files=$(simulate $names 2>"$log") || { root apt-get update >>"$log" 2>&1 && files=$(simulate $names 2>>"$log"); } ||
    failed "$log" "apt-get does not find $(echo $names)"
  mkdir -p .tools/debian
  local packages; packages=$(mktemp -d)
  (cd "$packages" && apt-get download $files) >>"$log" 2>&1 || {
    rm -rf "$packages"
    failed "$log" "apt-get could not download $(echo $names) and what they need, for tests and measurements"
  }
  for file in "$packages"/*.deb; do dpkg -x "$file" .tools/debian; done
  find .tools/debian -xtype l -delete # links to what only an installation makes
  rm -rf "$packages" "$log"
}
# The packages that an installation would bring.
simulate() { apt-get -s install --no-install-recommends "$@" | awk '/^Inst/ { print $2 }' | grep .; }

# Debian 12 has Node.js 18: then 20 comes from npm (the node-linux-* packages), into .tools, for this folder only. With it
# npm itself, because Debian's node-gyp links native modules to Debian's libnode, whichever Node.js runs it.
install_node() {
  command -v npm >/dev/null && [ "$(node_major)" -gt 0 ] || apt_install nodejs npm
  [ "$(node_major)" -ge 20 ] && return
  local arch; case $(uname -m) in x86_64) arch=x64 ;; aarch64) arch=arm64 ;; *) die "Node.js 20 needed, found $(node -v)" ;; esac
  say "Node.js 20 into .tools (found $(node -v))"
  npm_log "npm could not fetch Node.js 20 (node-linux-$arch)" install --no-audit --no-fund --prefix .tools "node-linux-$arch@20" npm@10
  mkdir -p .tools/bin && ln -sf "../node_modules/node-linux-$arch/bin/node" ../node_modules/.bin/npm .tools/bin/
  hash -r # bash remembers where it found the old ones
}

# The native modules must really load: npm may be told to run no install scripts.
modules_load() { (node -e 'require("koffi"); require("raw-socket"); require("cap")'; exit $?) 2>/dev/null; }

npm_log() { # SENTENCE WORDS…: runs npm quietly; the sentence says what failed
  local sentence=$1 log; shift; log=$(mktemp)
  # Between its tries npm waits up to a minute; without a network that is for nothing.
  npm_config_fetch_retry_maxtimeout=10000 npm "$@" >"$log" 2>&1 || failed "$log" "$sentence"
  rm -f "$log"
}

install_modules() {
  # node-gyp compiles against the headers beside the Node.js that runs, and fetches none
  local home; home=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")
  [ -e "$home/include/node/node.h" ] && export npm_config_nodedir="$home"
  if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    # npm ci empties what the link leads to, which belongs to another tree.
    [ ! -L node_modules ] || die "node_modules is a link to $(readlink node_modules) and does not fit package-lock.json: remove the link"
    say "npm ci (node_modules is $([ -e node_modules ] && echo older than package-lock.json || echo missing); it takes half a minute or more)"
    npm_log 'npm ci could not install the packages of package-lock.json' ci
  fi
  modules_load && return
  say "npm rebuild koffi raw-socket cap (their install scripts did not run)"
  npm_log 'npm could not build koffi, raw-socket and cap' rebuild --ignore-scripts=false koffi raw-socket cap
  modules_load || die "the native modules do not load: node -e 'require(\"raw-socket\")' says why"
}

export PATH="$PWD/.tools/bin:$PATH"
packages=$(missing_packages "$NEEDED")
[ -z "$packages" ] || apt_install $packages
if [ "${1:-}" = deb ]; then
  packages=$(missing_packages "$DEB")
  [ -z "$packages" ] || apt_install $packages
fi
if [ "${1:-}" = bench ]; then
  packages=$(missing_packages "$BENCH")
  # Each by itself where one of them is not to be had: the benchmarks skip what needs it.
  [ -z "$packages" ] || (apt_install $packages) || for package in $packages; do
    (apt_install "$package") || say "$package is left out: the benchmarks skip what needs it"
  done
  (unpack_programs "$CHECKED") || say "left out: the measurements of health checks need it"
fi
if [ "${1:-}" = programs ]; then
  unpack_programs "$PROGRAMS"
  packages=$(missing_packages "$TESTED")
  [ -z "$packages" ] || apt_install $packages
fi
[ "$(node_major)" -ge 20 ] && command -v npm >/dev/null || install_node
install_modules
