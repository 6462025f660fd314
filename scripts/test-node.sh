#!/bin/bash
# Tests this tree with another Node.js: test-node.sh MAJOR [words for `ulvs lab test nat`]. Takes that Node.js from npm (the
# node-linux-* packages), copies the tree into a folder below $TMPDIR (/tmp), builds the native modules and dist there with it,
# runs all tests but the end-to-end ones, and one lab. The folder stays, so that the next time is quicker.
set -euo pipefail
cd "$(dirname "$0")/.."

die() { echo "test-node: $*" >&2; exit 1; }
[[ ${1:-} =~ ^[0-9]+$ ]] || die "name a major version: make test-node NODE=22"
major=$1; shift
case $(uname -m) in x86_64) arch=x64 ;; aarch64) arch=arm64 ;; *) die "npm has no Node.js for $(uname -m)" ;; esac

# Not below $HOME: a test becomes another user, who must be able to read the copy.
room=${TMPDIR:-/tmp}/ulvs-test-node-$major-$(id -u)
[ -e "$room" ] || mkdir -m 755 "$room"
[ -O "$room" ] && [ ! -L "$room" ] || die "$room is not a folder of $(id -un)"
tree=$room/tree
mkdir -p "$tree"
npm install --silent --no-audit --no-fund --prefix "$room" "node-linux-$arch@$major" || die "npm has no node-linux-$arch@$major"
home=$room/node_modules/node-linux-$arch
export PATH=$home/bin:$PATH npm_config_nodedir=$home # node-gyp compiles against these headers
echo "test-node: Node.js $(node -v), V8 $(node -p process.versions.v8), in $tree"

# What is no longer in this tree must not be in the copy either; its node_modules stay while the lock file is the same.
find "$tree" -mindepth 1 -maxdepth 1 ! -name node_modules -exec rm -rf {} +
tar c --exclude=./.git --exclude=./.tools --exclude=./node_modules --exclude=./dist --exclude=./build --exclude=./coverage . | tar x -C "$tree"
cd "$tree"
cmp -s package-lock.json node_modules/.installed || { npm ci --silent --no-audit --no-fund; cp package-lock.json node_modules/.installed; }
node -e 'require("koffi"); require("raw-socket"); require("cap")' || die "the native modules do not load"
npm run --silent build
rc=0
node_modules/.bin/vitest run --exclude 'test/e2e/**' || rc=1
node dist/cli/main.js lab test nat "$@" || rc=1
echo "test-node: Node.js $(node -v): $([ $rc = 0 ] && echo all passed || echo 'not all passed, see above')"
exit $rc
