/**
 * A wire as a host of containers may have it: an XDP program redirects the packets that arrive on
 * veth FROM to veth TO, past the kernel's stack: `node xdp-wire.js FROM TO`, for as long as it
 * runs. A redirected frame loses the mark that its checksum is partial, so its receiver drops it.
 *
 *     rs1 ─ eth0 ═ FROM ─ XDP: IPv4, IPv6 unicast? ─ redirect ─► TO ═ eth1 ─ router
 *                            └─ else (ARP, multicast) ─► bridge
 *
 * The peer of TO must run NAPI (`ethtool -K eth1 gro on`), else the kernel drops redirected frames.
 */
import { Assembler, Call } from '../../device/bpf/assembler.js';
import { loadXdp, XDP_PASS } from '../../sys/bpf.js';
import { attachXdp, XDP_FLAGS_DRV_MODE } from '../../sys/bpf-link.js';
import { ifNameToIndex } from '../../sys/libc.js';

const ETHERNET = 14;
/** EtherTypes as a little-endian machine loads them. */
const [IPV4, IPV6] = [0x0008, 0xdd86];
const MULTICAST = 1;

function redirecting(ifindex: number): Uint8Array {
  return new Assembler()
    .load(32, 'r2', 'r1', 0)
    .load(32, 'r3', 'r1', 4)
    .mov('r4', 'r2')
    .add('r4', ETHERNET)
    .jumpIf('r4', '>', 'r3', 'pass')
    .load(8, 'r4', 'r2', 0)
    .jumpIf('r4', '&', MULTICAST, 'pass')
    .load(16, 'r4', 'r2', 12)
    .jumpIf('r4', '==', IPV4, 'redirect')
    .jumpIf('r4', '!=', IPV6, 'pass')
    .label('redirect')
    .mov('r1', ifindex)
    .mov('r2', 0)
    .call(Call.redirect)
    .exit()
    .label('pass')
    .mov('r0', XDP_PASS)
    .exit()
    .assemble();
}

function start([from, to]: readonly string[]): void {
  if (!from || !to) throw new Error('usage: xdp-wire FROM TO');
  const [source, sink] = [from, to].map(ifNameToIndex);
  if (!source || !sink) throw new Error(`xdp-wire: there is no interface ${source ? to : from}`);
  attachXdp(loadXdp(redirecting(sink)), source, XDP_FLAGS_DRV_MODE);
}

try {
  start(process.argv.slice(2));
  setInterval(() => {}, 0x7fffffff); // the kernel detaches the program when this process ends
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(0));
  console.log('ready');
} catch (error) {
  console.error((error as Error).message);
  process.exit(1);
}
