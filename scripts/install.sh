#!/bin/bash
# Installs this tree below DESTDIR (default: /): `make install PREFIX=/usr/local`. debian/rules uses it too.
#
#   PREFIX/lib/ulvs                     the program and the npm packages that it needs at run time
#   PREFIX/bin                          ulvs, ulvsadm
#   PREFIX/lib/ulvs/names               ipvsadm, ipvsadm-save, ipvsadm-restore: to be linked where programs look for them
#   PREFIX/share/man, completions, PREFIX/lib/{systemd/system,sysusers.d,tmpfiles.d}, /etc/ulvs/director.yaml
#
# NODE=FILE copies that Node.js into PREFIX/lib/ulvs; without it the programs use the `node` of the PATH.
# NAMES=yes links the three names of ipvsadm into PREFIX/sbin, where no other ipvsadm is.
set -euo pipefail
cd "$(dirname "$0")/.."
prefix=${PREFIX:-/usr/local} root=${DESTDIR:-} node=${NODE:-}
die() { echo "install: $*" >&2; exit 1; }
[ -e dist/cli/main.js ] || die "dist is not built: make build"
lib=$prefix/lib/ulvs
names_wanted=$([ "${NAMES:-}" != yes ] || echo ipvsadm ipvsadm-save ipvsadm-restore)
for name in $names_wanted; do # before anything is copied
  link=$root$prefix/sbin/$name
  if [ -e "$link" ] && [ ! -L "$link" ]; then die "$link is another program: remove it, or install without NAMES=yes"; fi
done
into() { mkdir -p "$root$1"; echo "$root$1"; }

# The modules of other platforms, and what only compiling needs, stay out.
modules() {
  npm ls --omit=dev --all --parseable 2>/dev/null | sed -n "s|^$PWD/||p" | grep '^node_modules/' | grep -v '/node_modules/' || true
}
copy_modules() {
  local to=$1 module
  for module in $(modules); do mkdir -p "$to/$(dirname "$module")" && cp -a "$module" "$to/$(dirname "$module")/"; done
  rm -rf "$to"/node_modules/{nan,node-gyp-build}/ "$to"/node_modules/@koromix/*/musl_* "$to"/node_modules/.bin
  find "$to/node_modules" -path '*/build/*' -type f ! -path '*/Release/*.node' -delete
  find "$to/node_modules" \( -name '*.c' -o -name '*.cc' -o -name '*.cpp' -o -name '*.h' -o -name '*.gyp' -o -name '*.map' \
    -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name 'Makefile' -o -name '.*' -o -name '*.md' -o -name '*.png' -o -name '*.sh' -o -name '*.yml' -o -name '*.html' -o -name 'cnoke.cjs' \
    -o -name '*.hh' -o -name '*.S' -o -name '*.asm' -o -name '*.inc' -o -name '*.def' \) ! -iname 'license*' -type f -delete
  find "$to/node_modules" -type d \( -name test -o -name tests -o -name deps -o -name docs -o -name examples -o -name example \
    -o -name benchmarks -o -name '.[a-z]*' -o -name obj.target \) -prune -exec rm -rf {} +
  find "$to/node_modules" -type d -empty -delete
}

to=$(into "$lib")
rm -rf "$to/dist" "$to/node_modules"
cp -a dist "$to/" && find "$to/dist" \( -name '*.map' -o -name '*.d.ts' \) -delete
cp package.json "$to/"
copy_modules "$to"
if [ -n "$node" ]; then install -D -m 755 "$node" "$to/bin/node"; runs="$lib/bin/node"; else runs=node; fi
find "$to" -type f ! -path '*/bin/node' -exec chmod 644 {} +

wrapper() { # FILE SCRIPT
  printf '#!/bin/sh\nexec %s %s "$@"\n' "$runs" "$2" >"$1" && chmod 755 "$1"
}
bin=$(into "$prefix/bin") names=$(into "$lib/names")
wrapper "$bin/ulvs" "$lib/dist/cli/main.js"
wrapper "$bin/ulvsadm" "$lib/dist/cli/ulvsadm.js"
# By its name it knows that it is asked to speak as ipvsadm.
ln -sf ulvsadm.js "$to/dist/cli/ipvsadm.js"
wrapper "$names/ipvsadm" "$lib/dist/cli/ipvsadm.js"
install -m 755 packaging/ipvsadm-save packaging/ipvsadm-restore "$names/"

for page in man/*.[1-9]; do
  install -D -m 644 "$page" "$root$prefix/share/man/man${page##*.}/$(basename "$page")"
done
install -D -m 644 packaging/ulvs.service "$root$prefix/lib/systemd/system/ulvs.service"
sed -i "s|/usr/bin/ulvs|$prefix/bin/ulvs|" "$root$prefix/lib/systemd/system/ulvs.service"
install -D -m 644 packaging/ulvs.sysusers "$root$prefix/lib/sysusers.d/ulvs.conf"
install -D -m 644 packaging/ulvs.tmpfiles "$root$prefix/lib/tmpfiles.d/ulvs.conf"
[ -e "$root/etc/ulvs/director.yaml" ] || install -D -m 644 packaging/director.yaml "$root/etc/ulvs/director.yaml"

share=$root$prefix/share
mkdir -p "$share"/{bash-completion/completions,zsh/vendor-completions,fish/vendor_completions.d}
run=${node:-node}
# What is installed is what runs here: nothing that it needs was left out.
program=$to/dist/cli/main.js
(cd "$to" && "$run" -e 'for (const module of ["koffi", "pino-pretty"]) require(module)') || die "the installed modules do not load"
"$run" "$program" completion bash >"$share/bash-completion/completions/ulvs"
ln -sf ulvs "$share/bash-completion/completions/ulvsadm"
"$run" "$program" completion zsh >"$share/zsh/vendor-completions/_ulvs"
"$run" "$program" completion fish >"$share/fish/vendor_completions.d/ulvs.fish"
ln -sf ulvs.fish "$share/fish/vendor_completions.d/ulvsadm.fish"

for name in $names_wanted; do
  mkdir -p "$root$prefix/sbin" && ln -sf "$lib/names/$name" "$root$prefix/sbin/$name"
done
