/**
 * One client that connects from one port to every address of an accepted range. All its connections
 * are in one bucket of the table. The reference is as many clients that connect to one address;
 * each of them has its own bucket.
 */

import { median } from '../../src/lab/median.js';
import { parse4, parseMac } from '../../src/wire/address.js';
import { adjust, sum32 } from '../../src/wire/checksum.js';
import * as ethernet from '../../src/wire/ethernet.js';
import * as ipv4 from '../../src/wire/ipv4.js';
import * as tcp from '../../src/wire/tcp.js';
import { orQuick } from './options.js';
import type { Row } from './result.js';
import { FRAMES, Subject } from './subject.js';
import { Order } from './traffic.js';

const ROUNDS = orQuick(5, 1);
const ADDRESSES = 65_536;
const TURNS = Math.ceil((1 << 19) / FRAMES);
const SYN = 0x02;
const ACK = 0x10;
const CLIENTS = parse4('11.0.0.0')!;
const RANGE = parse4('10.9.0.0')!;

const CONFIG = `
devices:
  - { name: eth0, mac: 02:00:00:00:0d:00, addresses: [10.0.0.254/24] }
  - { name: eth1, mac: 02:00:00:00:0d:01, addresses: [192.168.1.254/24] }
neighbours: [ { ip: 192.168.1.11, dev: eth1, mac: 02:00:00:00:a0:11 } ]
accept: { ranges: [10.9.0.0/16] }
marks: [ "-d 10.9.0.0/16 -p tcp -j MARK --set-mark 1" ]
rules: |
  -A -f 1 -s rr
  -a -f 1 -r 192.168.1.11 -g
`;

/**
 * Frames whose source or destination address ends in the number of the flow: different clients, or
 * different addresses of the range.
 */
class Walk {
  readonly length: number;
  private readonly bytes: Uint8Array;

  constructor(
    private readonly varies: number,
    flags: number,
  ) {
    const [src, dst] = [CLIENTS, RANGE];
    const payload = tcp.encode({ sport: 4000, dport: 80, flags }, sum32(src) + sum32(dst));
    const packet = ipv4.encode({ src, dst, protocol: ipv4.TCP, dontFragment: true, payload });
    const [to, from] = [parseMac('02:00:00:00:0d:00')!, parseMac('02:00:00:00:c0:01')!];
    this.bytes = ethernet.encode({ dst: to, src: from, type: ethernet.TYPE_IPV4, payload: packet });
    this.length = this.bytes.length;
  }

  put(u8: Uint8Array, view: DataView, at: number, flow: number): void {
    u8.set(this.bytes, at);
    const ip = at + ethernet.HEADER;
    view.setUint16(ip + this.varies + 2, flow);
    view.setUint16(ip + 10, adjust(view.getUint16(ip + 10), flow));
    tcp.fix(view, ip + ipv4.HEADER, flow);
  }
}

/**
 * Returns the ns of one packet. `flow` gives the number of the address or client of each packet.
 */
function measure(subject: Subject, walk: Walk, flow: () => number): number {
  let ms = 0;
  for (let i = 0; i < TURNS; i++) {
    subject.sources[0].fill(walk, flow);
    ms += subject.run();
  }
  subject.check();
  return (ms * 1e6) / (TURNS * FRAMES);
}

/**
 * Measures new connections, then packets of known connections, in ns a packet. Afterwards it
 * removes the connections.
 */
function round(subject: Subject, varies: number): [news: number, known: number] {
  let sequence = 0;
  const news = measure(subject, new Walk(varies, SYN), () => sequence++ & (ADDRESSES - 1));
  const { live } = subject.director.connections.table;
  if (live < ADDRESSES) throw new Error(`${live} connections instead of ${ADDRESSES}`);
  const order = new Order();
  const known = measure(subject, new Walk(varies, ACK), () => order.next(ADDRESSES));
  subject.clear();
  return [news, known];
}

/**
 * One row for new connections and one for known connections. The reference is the cost of as many
 * clients.
 */
export async function walkRows(): Promise<Row[]> {
  const subject = await Subject.create(1 << 20, CONFIG);
  const walked: [number, number][] = [];
  const clients: [number, number][] = [];
  for (let i = 0; i <= ROUNDS; i++) {
    walked.push(round(subject, ipv4.DST));
    clients.push(round(subject, ipv4.SRC));
  }
  // The first round is not counted: it lets V8 compile the code.
  const of = (all: [number, number][], which: 0 | 1) => median(all.slice(1).map((one) => one[which]));
  return (['opened', 'followed'] as const).map((what, i) => ({
    case: `one client, 65,536 addresses, ${what}`,
    value: of(walked, i as 0 | 1),
    unit: 'ns/packet',
    reference: of(clients, i as 0 | 1),
  }));
}
