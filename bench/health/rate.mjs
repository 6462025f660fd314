/**
 * Many health checks on one director: checks a second, CPU time of its threads, and the round trip of UDP through a masq service
 * without and with the checks.
 *
 *     node bench/health/rate.mjs [TYPE] [DESTINATIONS] [SECONDS]     needs root; tcp, 5000 and 10 by default; about 50 seconds
 *
 *     client 10.1.0.1 ── 10.1.0.254 director 10.2.0.254 ── 10.2.0.11 real server, which has 10.3.0.0/16 too (TCP 8080, UDP 9000)
 */
import { execSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SocketClient } from '../../dist/control/api/client.js';

const [type = 'tcp', count = '5000', seconds = '10'] = process.argv.slice(2);
const N = Number(count);
const MS = Number(seconds) * 1000;
const ROOT = path.resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(path.join(tmpdir(), 'ulvs-rate-'));
const socket = `${folder}/ulvs.sock`;
const [C, D, S] = ['c', 'd', 's'].map((letter) => `hr-${letter}-${process.pid}`);
const children = new Set();
const sh = (line) => execSync(line, { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' });

function inside(space, argv, stdout = 'ignore') {
  const child = spawn('ip', ['netns', 'exec', space, ...argv], { stdio: ['ignore', stdout, 'inherit'] });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

function network() {
  for (const name of [C, D, S]) sh(`ip netns add ${name}; ip -n ${name} link set lo up`);
  sh(`ip link add eth0 netns ${C} type veth peer name eth1 netns ${D}; ip link add eth2 netns ${D} type veth peer name eth0 netns ${S}`);
  for (const [name, device, address] of [[C, 'eth0', '10.1.0.1'], [D, 'eth1', '10.1.0.254'], [D, 'eth2', '10.2.0.254'], [S, 'eth0', '10.2.0.11']])
    sh(`ip -n ${name} addr add ${address}/24 dev ${device}; ip -n ${name} link set ${device} up`);
  sh(`ip -n ${D} route add 10.3.0.0/16 via 10.2.0.11; ip -n ${S} route add local 10.3.0.0/16 dev lo; ip -n ${S} route add default via 10.2.0.254`);
}

const SERVER = `require('http').createServer((q, a) => a.end('fine')).listen(8080, '0.0.0.0', 4096)`;
const ECHO = `const s = require('dgram').createSocket('udp4').bind(9000, '10.2.0.11'); s.on('message', (m, r) => s.send(m, r.port, r.address))`;
/** One datagram every 5 ms; prints the round trips, ms. */
const CLIENT = `const s = require('dgram').createSocket('udp4').bind(); const took = [];
s.on('message', (m) => took.push(performance.now() - Number(m)));
setInterval(() => s.send(String(performance.now()), 9000, '10.1.0.100'), 5);
setTimeout(() => { console.log(JSON.stringify(took)); process.exit(); }, ${MS})`;

async function director(withChecks) {
  const rules = ['-A -u 10.1.0.100:9000 -s rr', '-a -u 10.1.0.100:9000 -r 10.2.0.11:9000 -m', '-A -t 10.1.0.100:8080 -s rr'];
  for (let i = 0; i < N; i++) rules.push(`-a -t 10.1.0.100:8080 -r 10.3.${i >> 8}.${i & 255}:8080 -m`);
  const checks = `checks: [{ service: "-t 10.1.0.100:8080", run: [{ type: ${type}${type === 'http' ? ', expect: fine' : ''}, interval: 2 }] }]`;
  const devices = 'devices: [{ name: eth1, kind: xdp }, { name: eth2, kind: xdp }]';
  const lines = [devices, 'accept: { arp: true, icmp: true }', `socket: ${socket}`, withChecks ? checks : '', 'rules: |', ...rules.map((rule) => `  ${rule}`)];
  writeFileSync(`${folder}/d.yaml`, `${lines.join('\n')}\n`);
  const program = inside(D, [process.execPath, `${ROOT}/dist/cli/main.js`, 'run', '-c', `${folder}/d.yaml`]);
  const ended = new Promise((resolve) => program.once('exit', resolve));
  await sleep(10_000);
  return { program, ended };
}

async function totals() {
  const client = new SocketClient(socket);
  const { health = [] } = await client.request({ op: 'health' });
  client.close();
  const all = health.flatMap(({ targets }) => targets.flatMap(({ checks }) => checks));
  const sum = (key) => all.reduce((n, check) => n + check[key], 0);
  return { passed: sum('passed'), failed: sum('failed'), took: all.map(({ took }) => took) };
}

/** CPU time of each thread in ms: thread id → time. */
function threads(pid) {
  return new Map(readdirSync(`/proc/${pid}/task`).map((id) => {
    const fields = readFileSync(`/proc/${pid}/task/${id}/stat`, 'utf8').split(') ')[1].split(' ');
    return [id, (Number(fields[11]) + Number(fields[12])) * 10];
  }));
}

const at = (sorted, share) => (sorted[Math.floor(sorted.length * share)] ?? Number.NaN).toFixed(2);

async function measure(withChecks) {
  const { program, ended } = await director(withChecks);
  // `ip netns exec` becomes the program.
  const before = { ...(await totals()), cpu: threads(program.pid), now: performance.now() };
  let text = '';
  const client = inside(C, [process.execPath, '-e', CLIENT], 'pipe');
  client.stdout.on('data', (chunk) => (text += chunk));
  await new Promise((resolve) => client.once('close', resolve));
  const after = await totals();
  const ms = performance.now() - before.now;
  const trips = JSON.parse(text).sort((a, b) => a - b);
  const cpu = [...threads(program.pid)].map(([id, used]) => [id === String(program.pid) ? 'main' : 'thread', (100 * (used - (before.cpu.get(id) ?? 0))) / ms]);
  console.log(`${withChecks ? `${N} ${type} checks each 2 s` : 'no checks'}: load ${loadavg()[0].toFixed(1)}`);
  if (withChecks) {
    const took = after.took.sort((a, b) => a - b);
    console.log(`  ${(((after.passed - before.passed) * 1000) / ms).toFixed(0)} good a second, ${after.failed - before.failed} bad; duration p50 ${at(took, 0.5)} p99 ${at(took, 0.99)} ms`);
  }
  console.log(`  CPU, % of a core: ${cpu.filter(([, share]) => share >= 1).sort((a, b) => b[1] - a[1]).map(([name, share]) => `${name} ${share.toFixed(0)}`).join(', ')}`);
  console.log(`  round trip through the director: p50 ${at(trips, 0.5)} p99 ${at(trips, 0.99)} ms of ${trips.length}`);
  program.kill('SIGTERM');
  await ended;
}

try {
  network();
  inside(S, [process.execPath, '-e', SERVER]);
  inside(S, [process.execPath, '-e', ECHO]);
  for (const withChecks of [false, true]) await measure(withChecks);
} finally {
  for (const child of children) child.kill('SIGKILL');
  for (const name of [C, D, S]) sh(`ip netns del ${name}`);
  rmSync(folder, { recursive: true, force: true });
}
