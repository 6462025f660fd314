/**
 * Time from a fault of a real server to weight 0, and from its repair to the full weight: for the health checks of ulvs and
 * for keepalived (under `ulvs exec`), in the same lab, on the same servers, with the same intervals.
 *
 *     node bench/health/faults.mjs           needs root, nginx, redis-server, dnsmasq, keepalived, openssl; about four minutes
 *
 *     director 10.2.0.254 ── real server 10.2.0.11: nginx :8080 :8443, redis :6379, dnsmasq :53, a Node.js server :8081
 */
import { execFileSync, execSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SocketClient } from '../../dist/control/api/client.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(path.join(tmpdir(), 'ulvs-health-'));
const socket = `${folder}/ulvs.sock`;
const children = new Set();
const sh = (line) => execSync(line, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
const inside = (space, ...argv) => {
  const child = spawn('ip', ['netns', 'exec', space, ...argv], { stdio: 'ignore', detached: true });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
};
/** Signals a program with all its processes. */
const signal = (child, name) => {
  try {
    process.kill(-child.pid, name);
  } catch {}
};
const [D, S] = [`hf-d-${process.pid}`, `hf-s-${process.pid}`];

function network() {
  for (const name of [D, S]) sh(`ip netns add ${name}; ip -n ${name} link set lo up`);
  sh(`ip link add eth2 netns ${D} type veth peer name eth0 netns ${S}`);
  sh(`ip -n ${D} addr add 10.2.0.254/24 dev eth2; ip -n ${D} link set eth2 up`);
  sh(`ip -n ${S} addr add 10.2.0.11/24 dev eth0; ip -n ${S} link set eth0 up`);
}

const cert = (name, days) =>
  execFileSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=rs1'],
    ...['-keyout', `${folder}/${name}.key`, '-out', `${folder}/${name}.pem`, '-days', String(days)],
  ], { stdio: 'ignore' });

function nginx(pem) {
  writeFileSync(`${folder}/nginx.conf`, `worker_processes 1; daemon off; pid ${folder}/nginx.pid; error_log /dev/null;
events {} http { access_log off; client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
server { listen 8080; root ${folder}/www; }
server { listen 8443 ssl; ssl_certificate ${pem}.pem; ssl_certificate_key ${pem}.key; root ${folder}/www; } }`);
  return inside(S, 'nginx', '-c', `${folder}/nginx.conf`);
}
const redis = () => inside(S, 'redis-server', '--bind', '10.2.0.11', '--save', '', '--dir', folder, '--protected-mode', 'no');
const dnsmasq = () =>
  inside(S, 'dnsmasq', '-k', '-C', '/dev/null', '--no-hosts', '--no-resolv', '--listen-address=10.2.0.11', '--bind-interfaces', '--pid-file', '--address=/www.example.org/192.0.2.1', '--user=root');
const drip = (dripping) =>
  inside(S, process.execPath, '-e', `require('http').createServer((q, a) => { ${dripping ? "a.writeHead(200, { 'content-length': 100000 }); setInterval(() => a.write('x'), 300)" : "a.end('fine')"} }).listen(8081, '10.2.0.11')`);

/** Each row: name, port, check of ulvs, check of keepalived, break and repair. */
const servers = {};
const rows = [
  ['http: nginx killed', 8080, 'type: http, expect: fine', 'HTTP_GET', () => signal(servers.nginx, 'SIGKILL'), () => (servers.nginx = nginx(`${folder}/good`))],
  ['http: nginx hung (SIGSTOP)', 8080, '', '', () => signal(servers.nginx, 'SIGSTOP'), () => signal(servers.nginx, 'SIGCONT')],
  ['http: wrong body', 8080, '', '', () => writeFileSync(`${folder}/www/index.html`, 'oops'), () => writeFileSync(`${folder}/www/index.html`, 'fine')],
  ['http: drips a byte each 0.3 s', 8081, 'type: http, expect: fine', 'HTTP_GET', () => { signal(servers.drip, 'SIGKILL'); servers.drip = drip(true); }, () => { signal(servers.drip, 'SIGKILL'); servers.drip = drip(false); }],
  ['https: certificate ends in 1 day', 8443, 'type: https, expect: fine, certificateDays: 7', 'SSL_GET', () => { signal(servers.nginx, 'SIGKILL'); servers.nginx = nginx(`${folder}/short`); }, () => { signal(servers.nginx, 'SIGKILL'); servers.nginx = nginx(`${folder}/good`); }],
  ['redis killed', 6379, 'type: redis', 'TCP_CHECK', () => signal(servers.redis, 'SIGKILL'), () => (servers.redis = redis())],
  ['redis hung (SIGSTOP)', 6379, '', '', () => signal(servers.redis, 'SIGSTOP'), () => signal(servers.redis, 'SIGCONT')],
  ['dns: dnsmasq killed', 53, 'type: dns, lookup: www.example.org, expect: 192.0.2.1', 'DNS_CHECK', () => signal(servers.dnsmasq, 'SIGKILL'), () => (servers.dnsmasq = dnsmasq())],
  ['dns: dnsmasq hung (SIGSTOP)', 53, '', '', () => signal(servers.dnsmasq, 'SIGSTOP'), () => signal(servers.dnsmasq, 'SIGCONT')],
];
const ports = new Map(rows.filter(([, , check]) => check !== '').map(([, port, ours, theirs]) => [port, { ours, theirs }]));
const option = (port) => (port === 53 ? '-u' : '-t');

function director() {
  const rules = [...ports.keys()].flatMap((port) => [
    `  -A ${option(port)} 10.1.0.100:${port} -s rr`,
    `  -a ${option(port)} 10.1.0.100:${port} -r 10.2.0.11:${port} -m -w 10`,
  ]);
  const checks = [...ports].map(
    ([port, { ours }]) =>
      `  - { service: "${option(port)} 10.1.0.100:${port}", run: [{ ${ours}, interval: 2, fastInterval: 1, connectTimeout: 1, timeout: 1, rise: 1, fall: 3 }] }`,
  );
  writeFileSync(`${folder}/d.yaml`, ['devices: [{ name: eth2, kind: packet }]', 'accept: { arp: true }', `socket: ${socket}`, 'checks:', ...checks, 'rules: |', ...rules, ''].join('\n'));
  return inside(D, process.execPath, `${ROOT}/dist/cli/main.js`, 'run', '-c', `${folder}/d.yaml`);
}

function keepalived() {
  const how = {
    HTTP_GET: 'HTTP_GET { url { path / \n regex "fine" }',
    SSL_GET: 'SSL_GET { url { path / \n regex "fine" }',
    TCP_CHECK: 'TCP_CHECK {',
    DNS_CHECK: 'DNS_CHECK { type A \n name www.example.org',
  };
  const all = [...ports].map(
    ([port, { theirs }]) => `virtual_server 10.1.0.200 ${port} {
 delay_loop 2\n lb_algo rr\n lb_kind NAT\n protocol ${port === 53 ? 'UDP' : 'TCP'}
 real_server 10.2.0.11 ${port} {\n weight 10\n inhibit_on_failure
  ${how[theirs]}\n connect_timeout 1\n retry 2\n delay_before_retry 1\n }\n }\n}`,
  );
  writeFileSync(`${folder}/k.conf`, `global_defs {\n router_id x\n}\n${all.join('\n')}\n`);
  return inside(D, process.execPath, `${ROOT}/dist/cli/main.js`, 'exec', '--socket', socket, '--', 'keepalived', '-n', '-C', '-f', `${folder}/k.conf`, '-p', `${folder}/k.pid`, '-c', `${folder}/kc.pid`);
}

const client = new SocketClient(socket);
async function weight(vip, port) {
  const { services = [] } = await client.request({ op: 'list' });
  const found = services.find(({ key }) => key.address === vip && key.port === port)?.destinations[0];
  return found === undefined ? -1 : (found.present?.weight ?? found.weight);
}
/** Seconds until both weights are as wanted; '> 15' after 15 s. */
async function until(port, wanted) {
  const began = performance.now();
  const seen = {};
  while (performance.now() - began < 15_000 && Object.keys(seen).length < 2) {
    for (const vip of ['10.1.0.100', '10.1.0.200']) {
      const is = await weight(vip, port);
      if (seen[vip] === undefined && (wanted === 0 ? is <= 0 : is > 0)) seen[vip] = ((performance.now() - began) / 1000).toFixed(1);
    }
    await sleep(20);
  }
  return ['10.1.0.100', '10.1.0.200'].map((vip) => seen[vip] ?? '> 15');
}

try {
  network();
  sh(`mkdir -p ${folder}/www; echo -n fine > ${folder}/www/index.html; chmod -R a+rx ${folder}`);
  cert('good', 3650);
  cert('short', 1);
  Object.assign(servers, { nginx: nginx(`${folder}/good`), redis: redis(), dnsmasq: dnsmasq(), drip: drip(false) });
  director();
  await sleep(5000);
  keepalived();
  await sleep(6000);
  console.log('| fault | ulvs: to weight 0 | keepalived | ulvs: repair to full weight | keepalived |\n|---|---|---|---|---|');
  for (const [name, port, , , breaks, repairs] of rows) {
    await until(port, 10);
    await sleep(Math.random() * 2000);
    breaks();
    const [ourDown, theirDown] = await until(port, 0);
    repairs();
    const [ourUp, theirUp] = await until(port, 10);
    console.log(`| ${name} | ${ourDown} s | ${theirDown} s | ${ourUp} s | ${theirDown.startsWith('>') ? '-' : `${theirUp} s`} |`);
  }
} finally {
  client.close();
  for (const child of children) signal(child, 'SIGCONT');
  for (const child of children) signal(child, 'SIGKILL');
  await sleep(500);
  for (const name of [D, S]) execSync(`ip netns del ${name} || true`, { stdio: 'ignore' });
  rmSync(folder, { recursive: true, force: true });
}
