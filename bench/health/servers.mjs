/**
 * Real servers of each kind in one namespace, and how each of them breaks and is repaired. Debian's programs: the machine's own, or
 * those that `scripts/setup.sh bench` unpacks. Databases run as the user nobody.
 */
import { execFileSync, execSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { toolWords } from '../../dist/lab/build/tool.js';
import { nginxConf, sh } from './lab.mjs';

const ROOT = path.resolve(import.meta.dirname, '../..');
const UNPACKED = `${ROOT}/.tools/debian`;
const IP = '10.2.0.11';
const NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
/** The version of Debian 12. */
export const POSTGRES = ['/usr', `${UNPACKED}/usr`].map((root) => `${root}/lib/postgresql/15/bin`).find((place) => existsSync(`${place}/postgres`));
const MYSQL_SHARE = ['/usr', `${UNPACKED}/usr`].map((root) => `${root}/share/mysql`).find((place) => existsSync(`${place}/english`));
const PYTHON = ['env', `PYTHONPATH=${UNPACKED}/usr/lib/python3/dist-packages`, `LD_LIBRARY_PATH=${UNPACKED}/usr/lib/x86_64-linux-gnu`, 'python3'];

/** gRPC's health service with Debian's python3-grpcio. 1: SERVING, 2: NOT_SERVING. */
const GRPC = `import sys, grpc
from concurrent import futures
class Health(grpc.GenericRpcHandler):
    def service(self, details):
        if details.method == '/grpc.health.v1.Health/Check':
            return grpc.unary_unary_rpc_method_handler(lambda request, context: bytes([8, int(sys.argv[1])]))
server = grpc.server(futures.ThreadPoolExecutor(2))
server.add_generic_rpc_handlers((Health(),))
server.add_insecure_port('${IP}:50051')
server.start()
server.wait_for_termination()
`;
const ECHO = `require('dgram').createSocket('udp4').bind(9000, '${IP}').on('message', function (m, r) { this.send('pong', r.port, r.address); })`;
const drip = (dripping) =>
  `require('http').createServer((q, a) => { ${dripping ? "a.writeHead(200, { 'content-length': 100000 }); setInterval(() => a.write('x'), 300)" : "a.end('fine')"} }).listen(8081, '${IP}')`;

export class Servers {
  running = {};

  constructor(lab, space) {
    this.lab = lab;
    this.space = space;
    sh(`mkdir -p ${lab.folder}/www ${lab.folder}/pg ${lab.folder}/my; chown 65534 ${lab.folder}/pg ${lab.folder}/my; chmod -R a+rx ${lab.folder}`);
    lab.file('www/index.html', 'fine');
    this.certificate('good', 3650);
    this.certificate('short', 1);
    const { KEY, EXPIRED } = Object.fromEntries(
      [...readFileSync(`${ROOT}/test/health/certificates.ts`, 'utf8').matchAll(/const (\w+) = `([^`]+)`/g)].map(([, name, text]) => [name, text]),
    );
    lab.file('expired.key', KEY);
    lab.file('expired.pem', EXPIRED);
    execFileSync(NOBODY[0], [...NOBODY.slice(1), `${POSTGRES}/initdb`, '-D', `${lab.folder}/pg/data`, '-A', 'trust'], { stdio: 'ignore' });
    this.zone('192.0.2.1');
    for (const name of Object.keys(this.words)) this.start(name);
  }

  certificate(name, days) {
    const file = `${this.lab.folder}/${name}`;
    execSync(`openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=rs1 -keyout ${file}.key -out ${file}.pem -days ${days}`, { stdio: 'ignore' });
  }

  zone(address) {
    this.lab.file('zone', `$TTL 60\n@ SOA ns hostmaster 1 60 60 60 60\n@ NS ns\nns A ${IP}\nwww A ${address}\n`);
  }

  nginx(certificate) {
    const { folder } = this.lab;
    const tls = `ssl_certificate ${folder}/${certificate}.pem; ssl_certificate_key ${folder}/${certificate}.key; root ${folder}/www;`;
    const text = `server { listen 8080; root ${folder}/www; } server { listen 8443 ssl; ${tls} } server { listen 8444 ssl http2; ${tls} }`;
    return ['nginx', '-c', this.lab.file(`nginx-${certificate}.conf`, nginxConf(folder, text))];
  }

  named() {
    const { folder } = this.lab;
    const text = `options { directory "${folder}"; listen-on port 5300 { ${IP}; }; listen-on-v6 { none; }; pid-file none; session-keyfile none; recursion no; };
controls { };\nzone "example.org" { type primary; file "zone"; };\n`;
    return [...toolWords('named', 'bind9'), '-f', '-c', this.lab.file('named.conf', text)];
  }

  /** Words that start each server; the argument is a way of it to be wrong. */
  words = {
    nginx: (certificate = 'good') => this.nginx(certificate),
    drip: (dripping = false) => [process.execPath, '-e', drip(dripping)],
    redis: () => ['redis-server', '--bind', IP, '--save', '', '--dir', this.lab.folder, '--protected-mode', 'no'],
    dnsmasq: () => ['dnsmasq', '-k', '-C', '/dev/null', '--no-hosts', '--no-resolv', `--listen-address=${IP}`, '--bind-interfaces', '--pid-file', '--address=/www.example.org/192.0.2.1', '--user=root'],
    named: () => this.named(),
    postgres: () => [...NOBODY, `${POSTGRES}/postgres`, '-D', `${this.lab.folder}/pg/data`, '-h', IP, '-k', `${this.lab.folder}/pg`],
    mariadbd: () => [...NOBODY, ...toolWords('mariadbd', 'mariadb-server'), '--no-defaults', `--datadir=${this.lab.folder}/my`, `--bind-address=${IP}`, `--socket=${this.lab.folder}/my/s`, '--skip-grant-tables', `--lc-messages-dir=${MYSQL_SHARE}`, '--innodb-buffer-pool-size=16M'],
    smtp: () => [...PYTHON, '-m', 'aiosmtpd', '-n', '-l', `${IP}:25`],
    grpc: (state = 1) => [...PYTHON, '-c', GRPC, String(state)],
    udp: () => [process.execPath, '-e', ECHO],
  };

  start(name, way) {
    this.running[name] = this.lab.start(this.space, this.words[name](way));
  }

  signal(name, signal) {
    this.lab.signal(this.running[name], signal);
  }

  /** Ends it at once and starts it in another way. */
  again(name, way) {
    this.signal(name, 'SIGKILL');
    this.start(name, way);
  }
}
