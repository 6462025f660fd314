/**
 * What pages of the console cost the dataplane: requests a second and their latency (wrk) through a NAT service, in turns without and with
 * pages that follow the director as browsers do (server-sent events); and the processor time of the dataplane for a request, which
 * other work on the machine disturbs least.
 *
 *     node bench/health/browsers.mjs [PAGES] [TURNS] [SECONDS]     needs root, wrk, nginx; 10, 6 and 5 by default; 70 seconds
 *
 *     client 10.1.0.1 ── 10.1.0.254 director 10.2.0.254 ── 10.2.0.11 nginx
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lab, nginxConf, sh } from './lab.mjs';

const [PAGES = 10, TURNS = 6, SECONDS = 5] = process.argv.slice(2).map(Number);
const SERVICES = 50;
const lab = new Lab('pages');
const [client, director, server] = ['c', 'd', 's'].map((letter) => lab.space(letter));

function network() {
  lab.cables(client, director, server);
  sh(`mkdir -p ${lab.folder}/www; echo ok > ${lab.folder}/www/index.html; chmod -R a+rx ${lab.folder}`);
}

/** The rule table of a site: services with ten destinations each; the first one has the load. */
function yaml() {
  const rules = ['-A -t 10.1.0.100:80 -s rr', '-a -t 10.1.0.100:80 -r 10.2.0.11:80 -m'];
  for (let i = 0; i < SERVICES; i++) {
    rules.push(`-A -t 10.1.0.100:${8000 + i} -s rr`);
    for (let k = 0; k < 10; k++) rules.push(`-a -t 10.1.0.100:${8000 + i} -r 10.2.0.${20 + k}:80 -m`);
  }
  return lab.yaml('arp: true', `console: { listen: 127.0.0.1:9732, token: ${lab.folder}/token }`, rules);
}

/** Follows the director on PAGES connections; prints how many bytes came, once a second. */
const FOLLOW = (token) => `const http = require('http'); let bytes = 0;
for (let i = 0; i < ${PAGES}; i++) http.get({ host: '127.0.0.1', port: 9732, path: '/api/live', headers: { authorization: 'Bearer ${token}' }, agent: false }, (r) => r.on('data', (d) => (bytes += d.length)));
setInterval(() => console.log(bytes), 1000)`;
const WRK = `done = function(s, l) print(string.format('{"rate":%f,"p99":%f}', s.requests * 1e6 / s.duration, l:percentile(99) / 1000)) end\n`;

/** Processor time of the main thread and of the busiest other one, the dataplane: ns since their start. */
function used(pid) {
  const of = (id) => Number(readFileSync(`/proc/${pid}/task/${id}/schedstat`, 'utf8').split(' ')[0]);
  const others = readdirSync(`/proc/${pid}/task`).filter((id) => id !== String(pid)).map(of);
  return { main: of(pid), dataplane: Math.max(...others) };
}

async function turn(program, withPages) {
  const token = readFileSync(`${lab.folder}/token`, 'utf8').trim();
  const pages = withPages ? lab.start(director, [process.execPath, '-e', FOLLOW(token)], 'pipe') : undefined;
  let bytes = '0';
  pages?.stdout.on('data', (chunk) => (bytes = String(chunk).trim().split('\n').at(-1)));
  await sleep(1000);
  const [before, began] = [used(program.pid), performance.now()];
  const { out } = await lab.run(client, ['wrk', '-t1', '-c32', `-d${SECONDS}s`, '-s', lab.file('wrk.lua', WRK), 'http://10.1.0.100/']);
  const [after, ms] = [used(program.pid), performance.now() - began];
  const found = JSON.parse(/^\{.*\}$/m.exec(out)[0]);
  found.cost = (after.dataplane - before.dataplane) / 1000 / (found.rate * SECONDS);
  found.main = ((after.main - before.main) / 1e6 / ms) * 100;
  console.log(`  ${withPages ? `${PAGES} pages (${(Number(bytes) / 1e6).toFixed(1)} MB)` : 'no page'}: ${found.rate.toFixed(0)} requests/s, p99 ${found.p99.toFixed(2)} ms, dataplane ${found.cost.toFixed(2)} µs a request, main thread ${found.main.toFixed(1)} % of a core`);
  if (pages) await lab.end(pages, 'SIGKILL');
  return found;
}

const median = (all) => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)];

try {
  network();
  lab.start(server, ['nginx', '-c', lab.file('nginx.conf', nginxConf(lab.folder, `server { listen 80; root ${lab.folder}/www; keepalive_requests 1000000; }`))]);
  const program = await lab.director(director, yaml());
  await turn(program, false);
  const ratios = { rate: [], p99: [], cost: [] };
  for (let i = 0; i < TURNS; i++) {
    // Which one comes first alternates.
    const [first, second] = [await turn(program, i % 2 === 1), await turn(program, i % 2 === 0)];
    const [none, some] = i % 2 === 1 ? [second, first] : [first, second];
    for (const key of Object.keys(ratios)) ratios[key].push(some[key] / none[key]);
  }
  const names = { rate: 'requests a second', p99: 'p99', cost: 'processor time of the dataplane for a request' };
  for (const [key, all] of Object.entries(ratios))
    console.log(`${names[key]} with ${PAGES} pages: × ${median(all).toFixed(2)} (${Math.min(...all).toFixed(2)} to ${Math.max(...all).toFixed(2)})`);
} finally {
  await lab.remove();
}
