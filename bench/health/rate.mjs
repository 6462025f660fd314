/**
 * Many health checks on one director: checks a second, CPU time of its threads, and the round trip of UDP through a masq service, in
 * turns: without checks, with them, and with the same connections made by another process (what client, servers and kernel cost).
 * It is one director all the time; a reload takes the checks away and brings them back.
 *
 *     node bench/health/rate.mjs [TYPE] [DESTINATIONS] [TURNS] [SECONDS] [apart]     needs root; tcp, 5000, 6 and 5 by default; two minutes
 *
 * apart: client, director and echo have processor 0; the thread of the checks, the other process and the server of the checks have
 * processor 1. Without it all share all processors.
 *
 *     client 10.1.0.1 ── 10.1.0.254 director 10.2.0.254 ── 10.2.0.11 real server, which has 10.3.0.0/16 too (TCP 8080, UDP 9000)
 */
import { readdirSync, readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lab, sh } from './lab.mjs';

const words = process.argv.slice(2);
const APART = words.at(-1) === 'apart' && words.pop() === 'apart';
const [type = 'tcp', ...numbers] = words;
const [N = 5000, TURNS = 6, SECONDS = 5] = numbers.map(Number);
/** Prefixes of command lines: of what packets need, and of what checks need. */
const [PACKETS, CHECKS] = [0, 1].map((cpu) => (APART ? ['taskset', '-c', String(cpu)] : []));
/** Niceness of the thread of the checks above that of the process (src/health/thread.ts). */
const NICER = 5;
const INTERVAL = 2;
const lab = new Lab('hr');
const [client, director, server] = ['c', 'd', 's'].map((letter) => lab.space(letter));

function network() {
  lab.cables(client, director, server);
  sh(`ip -n ${director} route add 10.3.0.0/16 via 10.2.0.11; ip -n ${server} route add local 10.3.0.0/16 dev lo`);
}

const SERVER = `require('http').createServer((q, a) => a.end('fine')).listen(8080, '0.0.0.0', 4096)`;
const ECHO = `const s = require('dgram').createSocket('udp4').bind(9000, '10.2.0.11'); s.on('message', (m, r) => s.send(m, r.port, r.address))`;
/** One datagram each 2 ms; prints the round trips, ms. */
const CLIENT = `const s = require('dgram').createSocket('udp4').bind(); const took = [];
s.on('message', (m) => took.push(performance.now() - Number(m)));
setInterval(() => s.send(String(performance.now()), 9000, '10.1.0.100'), 2);
setTimeout(() => { console.log(JSON.stringify(took)); process.exit(); }, ${SECONDS * 1000})`;
/** Opens a connection to each destination in ${INTERVAL} s, as the checks of type tcp do, and resets it. */
const OTHER = `const net = require('net'); let i = 0; let due = performance.now();
setInterval(() => { for (; due < performance.now(); due += ${(INTERVAL * 1000) / N}) { const k = i++ % ${N};
  const s = net.connect(8080, '10.3.' + (k >> 8) + '.' + (k & 255), () => s.resetAndDestroy()).on('error', () => {}); } }, 20)`;

function yaml(withChecks) {
  const rules = ['-A -u 10.1.0.100:9000 -s rr', '-a -u 10.1.0.100:9000 -r 10.2.0.11:9000 -m', '-A -t 10.1.0.100:8080 -s rr'];
  for (let i = 0; i < N; i++) rules.push(`-a -t 10.1.0.100:8080 -r 10.3.${i >> 8}.${i & 255}:8080 -m`);
  const checks = `checks: [{ service: "-t 10.1.0.100:8080", run: [{ type: ${type}${type === 'http' ? ', expect: fine' : ''}, interval: ${INTERVAL} }] }]`;
  return lab.yaml('arp: true, icmp: true', withChecks ? checks : '', rules);
}

async function totals() {
  const { health = [] } = await lab.ask({ op: 'health' });
  const all = health.flatMap(({ targets }) => targets.flatMap(({ checks }) => checks));
  const sum = (key) => all.reduce((n, check) => n + check[key], 0);
  return { passed: sum('passed'), failed: sum('failed') };
}

/** CPU time of each thread, ms: thread id → time. */
function threads(pid) {
  return new Map(readdirSync(`/proc/${pid}/task`).map((id) => {
    const fields = readFileSync(`/proc/${pid}/task/${id}/stat`, 'utf8').split(') ')[1].split(' ');
    return [id, (Number(fields[11]) + Number(fields[12])) * 10];
  }));
}

/** The thread of the checks: the one that is nicer than the others. */
function checksOf(pid) {
  const nice = (id) => Number(readFileSync(`/proc/${pid}/task/${id}/stat`, 'utf8').split(') ')[1].split(' ')[16]);
  const found = readdirSync(`/proc/${pid}/task`).filter((id) => nice(id) === nice(pid) + NICER);
  if (found.length !== 1) throw new Error(`${found.length} threads are nicer than the others by ${NICER}`);
  return found[0];
}

const at = (sorted, share) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
const median = (all) => at([...all].sort((a, b) => a - b), 0.5);

async function trips() {
  const { out } = await lab.run(client, [...PACKETS, process.execPath, '-e', CLIENT]);
  const sorted = JSON.parse(out).sort((a, b) => a - b);
  return { p50: at(sorted, 0.5), p99: at(sorted, 0.99), got: sorted.length };
}

async function turn(program, kind) {
  lab.file('d.yaml', yaml(kind === 'checks'));
  lab.signal(program, 'SIGHUP');
  const other = kind === 'other' ? lab.start(director, [...CHECKS, process.execPath, '-e', OTHER]) : undefined;
  await sleep(4000);
  const before = { ...(await totals()), cpu: threads(program.pid), now: performance.now() };
  const found = await trips();
  const after = await totals();
  const ms = performance.now() - before.now;
  const cpu = [...threads(program.pid)].map(([id, used]) => (100 * (used - (before.cpu.get(id) ?? 0))) / ms).filter((share) => share >= 1);
  const rate = ((after.passed - before.passed) * 1000) / ms;
  console.log(`  ${kind}: p50 ${found.p50.toFixed(2)} p99 ${found.p99.toFixed(2)} ms of ${found.got}; ${rate.toFixed(0)} good a second, ${after.failed - before.failed} bad; CPU of threads ${cpu.sort((a, b) => b - a).map((share) => share.toFixed(0)).join(', ')} %; load ${loadavg()[0].toFixed(1)}`);
  if (other) await lab.end(other, 'SIGKILL');
  return found;
}

try {
  network();
  lab.start(server, [...CHECKS, process.execPath, '-e', SERVER]);
  lab.start(server, [...PACKETS, process.execPath, '-e', ECHO]);
  const program = await lab.director(director, yaml(true), PACKETS);
  await sleep(5000);
  if (APART) sh(`taskset -pc 1 ${checksOf(program.pid)}`);
  const ratios = { checks: { p50: [], p99: [] }, other: { p50: [], p99: [] } };
  for (let i = 0; i < TURNS; i++) {
    const none = await turn(program, 'none');
    for (const kind of ['checks', 'other']) {
      const found = await turn(program, kind);
      for (const key of ['p50', 'p99']) ratios[kind][key].push(found[key] / none[key]);
    }
  }
  for (const [kind, keys] of Object.entries(ratios))
    for (const [key, all] of Object.entries(keys))
      console.log(`${key} with ${kind === 'other' ? 'the connections of another process' : `${N} ${type} checks`}: × ${median(all).toFixed(2)} (${Math.min(...all).toFixed(2)} to ${Math.max(...all).toFixed(2)})`);
} finally {
  await lab.remove();
}
