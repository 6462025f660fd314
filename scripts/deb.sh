#!/bin/bash
# Builds the Debian package: deb.sh [MAJOR of the Node.js to bundle, 22]. dist must be built (`make deb`). The result is
# build/deb/ulvs_VERSION_ARCH.deb. npm is asked for Node.js and, once per package-lock.json, for the production modules, which are
# compiled for that Node.js; neither the package's scripts nor the package itself asks for anything later.
set -euo pipefail
cd "$(dirname "$0")/.."
die() { echo "deb: $*" >&2; exit 1; }
major=${1:-22} version=$(node -p 'require("./package.json").version')
case $(uname -m) in x86_64) arch=x64 ;; aarch64) arch=arm64 ;; *) die "npm has no Node.js for $(uname -m)" ;; esac
grep -q "^ulvs ($version)" debian/changelog || die "debian/changelog does not begin with version $version, that of package.json"

room=$PWD/build/deb home=$PWD/build/deb/node-$major
tree=$room/ulvs-$version
mkdir -p "$tree"
npm install --silent --no-audit --no-fund --prefix "$home" "node-linux-$arch@$major" || die "npm has no node-linux-$arch@$major"
home=$home/node_modules/node-linux-$arch

find "$tree" -mindepth 1 -maxdepth 1 ! -name node_modules -exec rm -rf {} +
cp -a package.json package-lock.json dist man docs examples packaging scripts debian README.md SECURITY.md CHANGELOG.md LICENSE "$tree/"
cp "$home/LICENSE" "$tree/LICENSE.node"
cd "$tree"
export PATH=$home/bin:$PATH npm_config_nodedir=$home NODE=$home/bin/node # node-gyp compiles against these headers
wanted="$(sha256sum <package-lock.json) $("$NODE" -v)"
if [ "$(cat node_modules/.installed 2>/dev/null)" != "$wanted" ]; then
  npm ci --silent --no-audit --no-fund --omit=dev || die "npm ci failed"
  echo "$wanted" >node_modules/.installed
fi
node -e 'require("koffi"); require("raw-socket"); require("cap")' || die "the native modules do not load in Node.js $(node -v)"
dpkg-buildpackage --build=binary --unsigned-changes --no-sign >"$room/build.log" 2>&1 || { tail -n 30 "$room/build.log" >&2; die "see $room/build.log"; }
cd "$room"
deb=$(ls ulvs_"$version"_*.deb)
echo "build/deb/$deb: $(du -h "$deb" | cut -f1), Node.js $(node -v)"
