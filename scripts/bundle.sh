#!/bin/bash
# Puts what each of these compiled files imports (of ours; packages stay outside) into the file itself: bundle.sh FILE.js...
# In one module constants and functions of the packet path are known to V8's compiler when it optimises; across modules each use
# of one is a load with two checks. That makes the dataplane 1.2 to 1.5 times as fast.
set -euo pipefail
cd "$(dirname "$0")/.."
for file; do node_modules/.bin/rollup "$file" -o "$file" --silent; done
