/**
 * The default state: the director gives it a tmpfs of its own with pages of 2 MB, uses such pages,
 * and goes on with it after kill -9. The director is in a process namespace of its own, whose
 * process 1 has the mounts: elsewhere a mount would end with the director.
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, it } from 'vitest';
import { isRoot } from '../../support/netns.js';

if (!isRoot) console.log('skipped: needs root for namespaces');

const MAIN = path.resolve(import.meta.dirname, '../../../dist/cli/main.js');
const SCRIPT = `
mount -t tmpfs tmpfs /run
ip link add eth0 type veth peer name eth1
ip link set eth0 up; ip link set eth1 up; ip addr add 10.5.0.1/24 dev eth0
printf 'devices: [{ name: eth0, kind: packet }]\\naccept: { arp: true }\\nrules: |\\n  -A -t 10.5.0.100:80 -s rr\\n' > /run/d.yaml
up() {
  ${process.execPath} ${MAIN} run -c /run/d.yaml > /run/log 2>&1 & pid=$!
  for i in $(seq 300); do grep -q 'director is up' /run/log && break; sleep 0.05; done
  cat /run/log
}
up
grep ulvs.state /proc/self/mountinfo
awk '/^ShmemPmdMapped/ { kb += $2 } END { print "large pages", kb, "kB" }' /proc/$pid/smaps
kill -9 $pid; wait $pid
up
kill $pid; wait $pid`;

it.skipIf(!isRoot)(
  'has large pages in a tmpfs of its own, and outlives the process',
  () => {
    const words = ['--pid', '--fork', '--mount', '--net', '--mount-proc', 'sh', '-c', SCRIPT];
    const { stdout } = spawnSync('unshare', words, { encoding: 'utf8', timeout: 50_000 });
    expect(stdout).toMatch(/ \/run\/ulvs\/ulvs\.state .* - tmpfs ulvs .*huge=advise/);
    expect(stdout).toMatch(/large pages [1-9]\d+ kB/);
    expect(stdout).toContain('goes on with the connections of the former process');
  },
  60_000,
);
