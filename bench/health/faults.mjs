/**
 * Time from a fault of a real server to weight 0, and from its repair to the full weight: for the health checks of ulvs and
 * for keepalived (under `ulvs exec`), in the same lab, on the same servers, with the same intervals. Faults of one server come one
 * after the other, those of different servers at the same time.
 *
 *     node bench/health/faults.mjs [SERVER…]     needs root and `scripts/setup.sh bench`; about two minutes; all servers by default
 *
 *     director 10.2.0.254 ── real server 10.2.0.11: nginx :8080 :8443 :8444, redis :6379, … (servers.mjs); 10.2.0.12 answers pings
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { toolWords } from '../../dist/lab/build/tool.js';
import { Lab, sh, ULVS } from './lab.mjs';
import { POSTGRES, Servers } from './servers.mjs';

const lab = new Lab('hf');
const [director, space] = ['d', 's'].map((letter) => lab.space(letter));
sh(`ip link add eth2 netns ${director} type veth peer name eth0 netns ${space}`);
sh(`ip -n ${director} addr add 10.2.0.254/24 dev eth2; ip -n ${director} link set eth2 up`);
sh(`ip -n ${space} addr add 10.2.0.11/24 dev eth0; ip -n ${space} addr add 10.2.0.12/24 dev eth0; ip -n ${space} link set eth0 up`);
const servers = new Servers(lab, space);

const misc = (words) => `MISC_CHECK { misc_path "${words.join(' ')}"\n misc_timeout 1`;
const admin = [...toolWords('mariadb-admin', 'mariadb-client'), '--no-defaults', '-h', '10.2.0.11', '--connect-timeout=1', 'ping'];
const state = lab.file('state', '0');
const script = lab.file('script.sh', `#!/bin/sh\nexit $(cat ${state})\n`);
sh(`chmod 755 ${script}`);
/** Each port: the check of ulvs and that of keepalived; UDP where `udp`. */
const ports = {
  8080: ['type: http, expect: fine', 'HTTP_GET { url { path / \n regex "fine" }'],
  8081: ['type: http, expect: fine', 'HTTP_GET { url { path / \n regex "fine" }'],
  8443: ['type: https, expect: fine, certificateDays: 7', 'SSL_GET { url { path / \n regex "fine" }'],
  8444: ['type: http2, tls: true, expect: fine', misc(['curl -skf --http2 -m 1 -o /dev/null https://10.2.0.11:8444/'])],
  50051: ['type: grpc', 'TCP_CHECK {'],
  6379: ['type: redis', 'TCP_CHECK {'],
  5432: ['type: postgres', misc([`${POSTGRES}/pg_isready -q -t 1 -h 10.2.0.11`])],
  3306: ['type: mysql', misc(admin)],
  25: ['type: smtp', 'SMTP_CHECK {'],
  53: ['type: dns, lookup: www.example.org, expect: 192.0.2.1', 'DNS_CHECK { type A \n name www.example.org', 'udp'],
  5300: ['type: dns, lookup: www.example.org, expect: 192.0.2.1', 'DNS_CHECK { type A \n name www.example.org', 'udp'],
  9000: ['type: udp, send: ping, expect: pong', 'UDP_CHECK { payload 70696e67\n require_reply 706f6e67', 'udp'],
  7: ['type: icmp', 'PING_CHECK {', '', '10.2.0.12'],
  9: [`type: script, command: [${script}]`, misc([script])],
};

const [killed, hangs] = ['SIGKILL', 'SIGSTOP'].map((name) => (server) => [() => servers.signal(server, name), () => (name === 'SIGKILL' ? servers.start(server) : servers.signal(server, 'SIGCONT'))]);
const another = (server, way) => [() => servers.again(server, way), () => servers.again(server)];
const named = (address) => {
  servers.zone(address);
  servers.signal('named', 'SIGHUP');
};
/** The faults of each server: what is said, port, break and repair. */
const rows = {
  nginx: [
    ['http: nginx killed', 8080, ...killed('nginx')],
    ['http: nginx hangs (SIGSTOP)', 8080, ...hangs('nginx')],
    ['http: wrong body', 8080, () => lab.file('www/index.html', 'oops'), () => lab.file('www/index.html', 'fine')],
    ['https: the certificate ends in one day', 8443, ...another('nginx', 'short')],
    ['https: the certificate has expired', 8443, ...another('nginx', 'expired')],
    ['http2: nginx killed', 8444, ...killed('nginx')],
    ['http2: nginx hangs (SIGSTOP)', 8444, ...hangs('nginx')],
  ],
  drip: [['http: sends a byte each 0.3 s', 8081, ...another('drip', true)]],
  grpc: [
    ['grpc: server killed', 50051, ...killed('grpc')],
    ['grpc: server hangs (SIGSTOP)', 50051, ...hangs('grpc')],
    ['grpc: NOT_SERVING', 50051, ...another('grpc', 2)],
  ],
  redis: [
    ['redis killed', 6379, ...killed('redis')],
    ['redis hangs (SIGSTOP)', 6379, ...hangs('redis')],
  ],
  postgres: [
    ['postgres killed', 5432, ...killed('postgres')],
    ['postgres hangs (SIGSTOP)', 5432, ...hangs('postgres')],
  ],
  mariadbd: [
    ['mysql: mariadbd killed', 3306, ...killed('mariadbd')],
    ['mysql: mariadbd hangs (SIGSTOP)', 3306, ...hangs('mariadbd')],
  ],
  smtp: [
    ['smtp: aiosmtpd killed', 25, ...killed('smtp')],
    ['smtp: aiosmtpd hangs (SIGSTOP)', 25, ...hangs('smtp')],
  ],
  dnsmasq: [
    ['dns: dnsmasq killed', 53, ...killed('dnsmasq')],
    ['dns: dnsmasq hangs (SIGSTOP)', 53, ...hangs('dnsmasq')],
  ],
  named: [
    ['dns: bind9 killed', 5300, ...killed('named')],
    ['dns: bind9 hangs (SIGSTOP)', 5300, ...hangs('named')],
    ['dns: bind9 has another address', 5300, () => named('192.0.2.9'), () => named('192.0.2.1')],
  ],
  udp: [
    ['udp: server killed', 9000, ...killed('udp')],
    ['udp: server hangs (SIGSTOP)', 9000, ...hangs('udp')],
  ],
  ping: [['icmp: no answer', 7, () => sh(`ip -n ${space} addr del 10.2.0.12/24 dev eth0`), () => sh(`ip -n ${space} addr add 10.2.0.12/24 dev eth0`)]],
  script: [['script: exit code 1', 9, () => lab.file('state', '1'), () => lab.file('state', '0')]],
};

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(rows);

const all = Object.entries(ports).map(([port, [ours, theirs, udp = '', address = '10.2.0.11']]) => ({ port, ours, theirs, udp, address }));

function yaml() {
  const rules = all.flatMap(({ port, udp, address }) => {
    const option = udp === '' ? '-t' : '-u';
    return [`  -A ${option} 10.1.0.100:${port} -s rr`, `  -a ${option} 10.1.0.100:${port} -r ${address}:${port} -m -w 10`];
  });
  const checks = all.map(
    ({ port, ours, udp }) =>
      `  - { service: "${udp === '' ? '-t' : '-u'} 10.1.0.100:${port}", run: [{ ${ours}, interval: 2, fastInterval: 1, connectTimeout: 1, timeout: 1, rise: 1, fall: 3 }] }`,
  );
  return ['devices: [{ name: eth2, kind: packet }]', 'accept: { arp: true }', `socket: ${lab.socket}`, 'checks:', ...checks, 'rules: |', ...rules, ''].join('\n');
}

function keepalived() {
  const text = all.map(({ port, theirs, udp, address }) => {
    const limit = theirs.startsWith('MISC') ? '' : ' connect_timeout 1\n';
    return `virtual_server 10.1.0.200 ${port} {\n delay_loop 2\n lb_algo rr\n lb_kind NAT\n protocol ${udp === '' ? 'TCP' : 'UDP'}
 real_server ${address} ${port} {\n weight 10\n inhibit_on_failure\n ${theirs}\n${limit} retry 2\n delay_before_retry 1\n }\n }\n}`;
  });
  const file = lab.file('k.conf', `global_defs {\n router_id x\n script_user root\n}\n${text.join('\n')}\n`);
  const words = ['keepalived', '-n', '-l', '-C', '-f', file, '-p', `${lab.folder}/k.pid`, '-c', `${lab.folder}/kc.pid`];
  lab.start(director, ['sh', '-c', `exec ${[...ULVS, 'exec', '--socket', lab.socket, '--', ...words].join(' ')} > ${lab.folder}/k.log 2>&1`]);
}

const VIPS = ['10.1.0.100', '10.1.0.200'];
const weights = new Map();
/** All weights in force, each 20 ms. */
let over = false;
async function watch() {
  while (!over) {
    const { services = [] } = await lab.ask({ op: 'list' });
    for (const { key, destinations } of services) {
      const [found] = destinations;
      weights.set(`${key.address} ${key.port}`, found === undefined ? 0 : (found.present?.weight ?? found.weight));
    }
    await sleep(20);
  }
}
/** Seconds until both weights are as wanted, by VIP; undefined: not within 15 s. */
async function until(port, wanted) {
  const began = performance.now();
  const seen = {};
  while (performance.now() - began < 15_000 && Object.keys(seen).length < 2) {
    for (const vip of VIPS) {
      const is = weights.get(`${vip} ${port}`);
      if (seen[vip] === undefined && is !== undefined && is > 0 === wanted > 0) seen[vip] = (performance.now() - began) / 1000;
    }
    await sleep(20);
  }
  return VIPS.map((vip) => seen[vip]);
}
const seconds = (time) => (time === undefined ? 'not within 15 s' : `${time.toFixed(1)} s`);

async function measure([name, port, breaks, repairs]) {
  await until(port, 10);
  await sleep(Math.random() * 2000);
  breaks();
  const down = await until(port, 0);
  repairs();
  const up = await until(port, 10);
  const [ours, theirs] = VIPS.map((_, i) => [seconds(down[i]), down[i] === undefined ? '' : seconds(up[i])]);
  return `| ${name} | ${ours[0]} | ${theirs[0]} | ${ours[1]} | ${theirs[1]} |`;
}

try {
  await lab.director(director, yaml());
  await sleep(5000);
  keepalived();
  await sleep(6000);
  void watch();
  const lines = await Promise.all(
    wanted.map(async (server) => {
      const done = [];
      for (const fault of rows[server]) done.push(await measure(fault));
      return done;
    }),
  );
  console.log('| fault | ulvs: to weight 0 | keepalived | ulvs: repair to full weight | keepalived |\n|---|---|---|---|---|');
  console.log(lines.flat().join('\n'));
  if (process.env.ULVS_LOG) console.error(readFileSync(`${lab.folder}/k.log`, 'utf8'));
} finally {
  over = true;
  await lab.remove();
}
