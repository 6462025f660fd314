/**
 * Requests that fail while a real server is taken out under the load of wrk, by `ulvs drain` and by HAProxy's state `drain`, on the
 * same hosts. Once it is drained its nginx is killed, so that whoever still used it fails. wrk does not count a request that is never
 * answered: those are the connections that have received nothing for two seconds near the end.
 *
 *     node bench/health/drain.mjs [SECONDS]      needs root, wrk, nginx, haproxy; seconds of load for each row, 20 by default
 *
 *     client 10.1.0.1 ──┐ switch ┌── director or HAProxy 10.1.0.254, 10.2.0.254; VIP 10.1.0.100
 *                       └────────┴── rs1 10.2.0.11, rs2 10.2.0.12: nginx :80, 1000 requests to a connection;
 *                                    /big: 2 MB at 450 kB/s, one to a connection
 */
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lab, nginxConf, sh, ULVS, ULVSADM } from './lab.mjs';

const SECONDS = Number(process.argv[2] ?? 20);
const VIP = '10.1.0.100';
const SERVERS = ['10.2.0.11', '10.2.0.12'];
const lab = new Lab('drain');
const [switches, client, director, ...servers] = ['sw', 'c', 'd', 's1', 's2'].map((letter) => lab.space(letter));

function network() {
  sh(`ip -n ${switches} link add br0 type bridge forward_delay 0; ip -n ${switches} link set br0 up`);
  const hosts = [[client, ['10.1.0.1']], [director, ['10.1.0.254', '10.2.0.254']], [servers[0], [SERVERS[0]]], [servers[1], [SERVERS[1]]]];
  for (const [i, [space, addresses]] of hosts.entries()) {
    sh(`ip link add eth0 netns ${space} type veth peer name p${i} netns ${switches}; ip -n ${switches} link set p${i} master br0 up; ip -n ${space} link set eth0 up`);
    for (const address of addresses) sh(`ip -n ${space} addr add ${address}/24 dev eth0`);
  }
  sh(`ip -n ${client} route add default via 10.1.0.254`);
  for (const space of servers) {
    sh(`ip netns exec ${space} sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0`);
    sh(`ip -n ${space} addr add ${VIP}/32 dev lo; ip -n ${space} route add default via 10.2.0.254`);
  }
}

/** NAT: replies through the director. DR: straight to the client. */
const replies = (direct) => servers.forEach((space) => sh(`ip -n ${space} route ${direct ? 'replace' : 'del'} 10.1.0.0/24 dev eth0 || true`));

function nginx(i) {
  const own = `${lab.folder}/s${i}`;
  sh(`mkdir -p ${own} ${lab.folder}/www; chmod a+rx ${own}; echo ok > ${lab.folder}/www/index.html; [ -e ${lab.folder}/www/big ] || head -c 2000000 /dev/zero > ${lab.folder}/www/big`);
  const server = `server { listen 80 backlog=4096; root ${lab.folder}/www; location /big { limit_rate 450k; keepalive_requests 1; } }`;
  return lab.start(servers[i], ['nginx', '-c', lab.file(`nginx${i}.conf`, nginxConf(own, server))]);
}

const WRK = `done = function(s) local e = s.errors
  print(string.format('{"good":%d,"failed":%d}', s.requests - e.status, e.connect + e.read + e.write + e.status + e.timeout)) end\n`;
async function wrk(path, connections, patience) {
  const script = lab.file('wrk.lua', WRK);
  const { out } = await lab.run(client, ['wrk', '-t1', `-c${connections}`, `-d${SECONDS}s`, '--timeout', patience, '-s', script, `http://${VIP}${path}`]);
  return JSON.parse(/^\{.*\}$/m.exec(out)?.[0] ?? `{"error":${JSON.stringify(out)}}`);
}

/** Connections of the client that wait in vain, a second before the load ends. */
async function hung() {
  await sleep((SECONDS - 1) * 1000);
  const { out } = await lab.run(client, ['ss', '-Htnoi', 'state', 'established']);
  return [...out.matchAll(/ lastrcv:(\d+)/g)].filter(([, ms]) => Number(ms) > 2000).length;
}

const ulvs = (how) => {
  const rules = [`-A -t ${VIP}:80 -s rr`, ...SERVERS.map((address) => `-a -t ${VIP}:80 -r ${address}:80 ${how}`)];
  const yaml = ['devices: [{ name: eth0, kind: xdp }]', `accept: { arp: true, ranges: [${VIP}/32] }`, `socket: ${lab.socket}`, 'rules: |', ...rules.map((rule) => `  ${rule}`), ''];
  return lab.director(director, yaml.join('\n'));
};
const drain = () => lab.run(director, [...ULVS, 'drain', `${SERVERS[0]}:80`, '--timeout', '60', '--socket', lab.socket]);
const remove = () => lab.run(director, [...ULVSADM, '--socket', lab.socket, '-d', '-t', `${VIP}:80`, '-r', `${SERVERS[0]}:80`]);

async function haproxy(mode) {
  const text = `global\n stats socket ${lab.folder}/ha.sock level admin\n maxconn 4000\ndefaults\n mode ${mode}\n balance roundrobin\n timeout connect 5s\n timeout client 30s\n timeout server 30s
listen web\n bind ${VIP}:80\n${SERVERS.map((address, i) => ` server rs${i + 1} ${address}:80`).join('\n')}\n`;
  sh(`ip -n ${director} addr replace ${VIP}/32 dev eth0`);
  const program = lab.start(director, ['haproxy', '-db', '-f', lab.file('haproxy.cfg', text)]);
  await sleep(1000);
  return program;
}
const stats = (line) =>
  new Promise((resolve, reject) => {
    let text = '';
    const socket = net.connect(`${lab.folder}/ha.sock`, () => socket.write(`${line}\n`));
    socket.on('data', (chunk) => (text += chunk)).once('end', () => resolve(text)).once('error', reject);
  });
/** Its state `drain`, until no session uses the server, then `maint`. */
async function haproxyDrain() {
  await stats('set server web/rs1 state drain');
  for (;;) {
    const row = (await stats('show stat')).split('\n').find((text) => text.startsWith('web,rs1,'));
    if (row.split(',')[4] === '0') break;
    await sleep(50);
  }
  await stats('set server web/rs1 state maint');
  return { code: 0 };
}

const rows = [
  ['ulvs drain, NAT', () => ulvs('-m'), drain],
  ['ulvs drain, DR', () => ulvs('-g'), drain, true],
  ['HAProxy drain, mode tcp', () => haproxy('tcp'), haproxyDrain],
  ['HAProxy drain, mode http', () => haproxy('http'), haproxyDrain],
  ['no drain: `ulvsadm -d`, NAT', () => ulvs('-m'), remove],
];

async function measure([name, begin, takeOut, direct = false]) {
  replies(direct);
  const webs = [nginx(0), nginx(1)];
  const balancer = await begin();
  const loads = Promise.all([wrk('/', 40, '4s'), wrk('/big', 20, '12s'), hung()]);
  await sleep(3000);
  const began = performance.now();
  const { code } = await takeOut();
  const took = (performance.now() - began) / 1000;
  await lab.end(webs[0], 'SIGKILL');
  const [kept, big, waiting] = await loads;
  const late = took > SECONDS - 4 ? ' (the load was over)' : '';
  console.log(`| ${name} | ${kept.good} | ${kept.failed ?? kept.error} | ${big.good} | ${big.failed ?? big.error} | ${waiting} | ${took.toFixed(1)} s${late}${code === 0 ? '' : `, exit code ${code}`} |`);
  await lab.end(balancer);
  await lab.end(webs[1], 'SIGKILL');
  sh(`ip -n ${director} addr del ${VIP}/32 dev eth0 2>/dev/null || true`);
}

try {
  network();
  console.log('| | requests by keep-alive | failed | downloads | failed | never answered | until no connection was left |\n|---|---|---|---|---|---|---|');
  for (const row of rows) await measure(row);
} finally {
  await lab.remove();
}
