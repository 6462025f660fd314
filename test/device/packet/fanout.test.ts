/** The fanout program in the kernel and the steering of the workers must choose the same worker. */
import { afterEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/control/config/config.js';
import { InProcessDirector } from '../../../src/control/inprocess.js';
import { PacketInfo } from '../../../src/dataplane/parse/packet.js';
import { parse } from '../../../src/dataplane/parse/parse.js';
import { FINEST, Steering, type SteeringStage } from '../../../src/dataplane/workers/steering.js';
import { Fanout } from '../../../src/device/packet/fanout.js';
import { testXdp } from '../../../src/sys/bpf.js';
import { SystemError } from '../../../src/sys/libc.js';
import { loadRules } from '../../../src/ulvsadm/rules.js';
import { learnAll } from '../../dataplane/workers/pool.js';
import { packet } from '../../support/packet.js';
import { Random } from '../../support/seed.js';

const COUNT = 5;
const SECRET = [0x12345678, -77, 0x0badcafe | 0];
const CONFIG = `
devices: [ { name: eth0, mac: 02:00:00:00:0d:00, addresses: [10.0.0.254/24] } ]
rules: |
  -A -t 10.0.0.100:80 -s rr
  -a -t 10.0.0.100:80 -r 10.0.0.11:8080 -m
  -A -t [2001:db8::100]:80 -s rr
  -a -t [2001:db8::100]:80 -r [2001:db8::11]:8080 -m
`;

let reason = '';
let fanout: Fanout | undefined;
try {
  new Fanout(COUNT, SECRET).close();
} catch (error) {
  if (!(error instanceof SystemError)) throw error;
  reason = `no socket filters here: ${error.message}`;
  console.log(`skipped: ${reason}`);
}
afterEach(() => fanout?.close());

function anyPacket(random: Random): Uint8Array {
  const eth = packet().eth('02:00:00:00:c0:01', '02:00:00:00:0d:00');
  const six = random.bool();
  const reply = random.bool();
  const client = six ? `2001:db8:7::${random.below(50).toString(16)}` : `11.${random.below(4)}.0.${random.below(50)}`;
  const [vip, rip] = six ? ['2001:db8::100', '2001:db8::11'] : ['10.0.0.100', '10.0.0.11'];
  const cport = 1024 + random.below(60_000);
  const ends = reply ? { src: rip, dst: client } : { src: client, dst: vip };
  const ports = reply ? { sport: 8080, dport: cport } : { sport: cport, dport: 80 };
  return (six ? eth.ipv6(ends) : eth.ipv4(ends)).tcp({ ...ports, flags: 'A' }).bytes();
}

const stages: [string, SteeringStage][] = [
  ['address and port', FINEST],
  ['the address', { ports: false, mask4: -1, prefix6: 128 }],
  ['a network', { ports: false, mask4: -256, prefix6: 116 }],
  ['nothing', { ports: false, mask4: 0, prefix6: 0 }],
];

describe.skipIf(reason !== '').each(stages)('by %s', (_, stage) => {
  it('the program says what the workers say', async () => {
    const inner = new InProcessDirector(parseConfig(CONFIG, 'test.yaml'), () => {});
    await loadRules(inner.config, inner);
    const d = inner.director;
    const owners = new Steering(d, COUNT, SECRET);
    learnAll(owners, d);
    owners.stages = [stage];
    fanout = new Fanout(COUNT, SECRET);
    fanout.setFields(stage);
    fanout.addSources([
      { address: Uint8Array.of(10, 0, 0, 11), port: 8080, protocol: 6 },
      { address: Uint8Array.of(0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x11), port: 8080, protocol: 6 },
    ]);
    const random = new Random();
    const p = new PacketInfo();
    const counts = new Array<number>(COUNT).fill(0);
    for (let i = 0; i < 400; i++) {
      const bytes = anyPacket(random);
      const frame = d.umem.put(bytes);
      expect(parse(d.umem.view, frame, bytes.length, p)).toBe(0);
      const owner = owners.of(p, 0);
      // The last worker joins first.
      expect(COUNT - 1 - testXdp(fanout.program, bytes), `seed ${random.seed}, packet ${i}`).toBe(owner);
      counts[owner]!++;
      d.umem.free(frame);
    }
    if (stage === FINEST) for (const count of counts) expect(count).toBeGreaterThan(40);
  });
});

describe.skipIf(reason !== '')('what it does not understand', () => {
  it('is the last worker’s, whatever is in it', () => {
    fanout = new Fanout(COUNT, SECRET);
    const eth = packet().eth('02:00:00:00:c0:01', '02:00:00:00:0d:00');
    const ends = { src: '11.0.0.1', dst: '10.0.0.100' };
    const odd = [
      eth.ipv4({ ...ends, protocol: 17, mf: true }).payload(new Uint8Array(64)),
      eth.ipv4({ ...ends, protocol: 17, offset: 64 }).payload(new Uint8Array(64)),
      eth.ipv4(ends).icmp({ type: 8, code: 0 }),
      eth.ipv4({ ...ends, protocol: 6 }).payload(new Uint8Array(2)),
    ];
    for (const one of odd) expect(testXdp(fanout.program, one.bytes())).toBe(0);
  });
});
