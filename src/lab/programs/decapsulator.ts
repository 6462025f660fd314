/**
 * The IPIP endpoint of a Tun realserver, as a program: `node decapsulator.js INSIDE OUTSIDE`, the two ends of a veth pair: what is
 * inside the tunnel's packets comes in by INSIDE (see device/tun/ipip-endpoint.ts).
 */
import { IpipEndpoint } from '../../device/tun/ipip-endpoint.js';
import { VethInjector } from '../../device/tun/veth-injector.js';
import { Umem } from '../../device/umem.js';

/** One packet at a time is under way; as long as IP allows, for a kernel may have put several together (GRO). */
const FRAMES = 4;
const FRAME_SIZE = 128 * 1024;

function start([inside, outside]: readonly string[]): IpipEndpoint {
  if (!inside || !outside) throw new Error('usage: decapsulator INSIDE OUTSIDE');
  const umem = new Umem(FRAMES, FRAME_SIZE);
  return new IpipEndpoint(umem, new VethInjector(umem, inside, outside));
}

try {
  // The signal handlers keep the endpoint: raw-socket's own event loop handle does not, and it would be collected.
  const endpoint = start(process.argv.slice(2));
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      endpoint.close();
      process.exit(0);
    });
  console.log('ready');
} catch (error) {
  console.error((error as Error).message);
  process.exit(1);
}
