/** A director in this process with two services, for tests of the console: what it sends is kept. */
import type { AdminClient, AdminReply, AdminRequest } from '../../src/control/api/api.js';
import { parseConfig } from '../../src/control/config/config.js';
import { InProcessDirector } from '../../src/control/inprocess.js';
import { loadRules } from '../../src/ulvsadm/rules.js';
import { packet } from './packet.js';

export const CLIENT_MAC = '02:00:00:00:c0:01';
export const DIRECTOR_MAC = '02:00:00:00:0d:00';

const CONFIG = `
devices:
  - { name: eth0, mac: "${DIRECTOR_MAC}", addresses: [10.0.0.254/24, 10.0.0.100/32] }
  - { name: eth1, mac: "02:00:00:00:0d:01", addresses: [192.168.1.254/24] }
neighbours:
  - { ip: 10.0.0.1, dev: eth0, mac: "${CLIENT_MAC}" }
  - { ip: 192.168.1.11, dev: eth1, mac: "02:00:00:00:b1:00" }
  - { ip: 192.168.1.12, dev: eth1, mac: "02:00:00:00:b2:00" }
rules: |
  -A -t 10.0.0.100:80 -s rr
  -a -t 10.0.0.100:80 -r 192.168.1.11:8080 -m -w 1
  -a -t 10.0.0.100:80 -r 192.168.1.12:8080 -m -w 2
  -A -u 10.0.0.100:5060 -s rr -p 300 --pe sip
  -a -u 10.0.0.100:5060 -r 192.168.1.11:5060 -m
`;

export class ConsoleDirector implements AdminClient {
  /** What was asked, and by whom. */
  readonly asked: { user: string; op: string }[] = [];
  readonly director = new InProcessDirector(parseConfig(CONFIG, 'director.yaml'), () => {});
  /** Changes answers before the console gets them. */
  disguise: (reply: AdminReply) => AdminReply = (reply) => reply;

  static async start(): Promise<ConsoleDirector> {
    const made = new ConsoleDirector();
    await loadRules(made.director.config, made.director);
    return made;
  }

  async request(request: AdminRequest, user = ''): Promise<AdminReply> {
    this.asked.push({ user, op: request.op });
    this.director.advance(this.director.now + 10);
    return this.disguise(await this.director.request(request));
  }

  clientFor = ({ name }: { name: string }): AdminClient => ({ request: (request) => this.request(request, name) });

  /** A client opens a connection, and sends a request with this text. */
  connect(sport: number, text = 'GET / HTTP/1.0\r\n\r\n'): void {
    const from = packet().eth(CLIENT_MAC, DIRECTOR_MAC).ipv4({ src: '10.0.0.1', dst: '10.0.0.100' });
    this.director.receive(0, from.tcp({ sport, dport: 80, flags: 'S', seq: 7 }).bytes());
    this.director.receive(0, from.tcp({ sport, dport: 80, flags: 'A', seq: 8, ack: 1 }).payload(text).bytes());
  }

  /** A SIP call with this Call-ID. */
  call(id: string): void {
    const text = `INVITE sip:b@example.org SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1\r\nCall-ID: ${id}\r\n\r\n`;
    const from = packet().eth(CLIENT_MAC, DIRECTOR_MAC).ipv4({ src: '10.0.0.1', dst: '10.0.0.100' });
    this.director.receive(0, from.udp({ sport: 5060, dport: 5060 }).payload(text).bytes());
  }
}
