/**
 * The IPIP endpoint of a Tun realserver: `node decapsulator.js INSIDE OUTSIDE`, the two ends of a
 * veth pair. Decapsulated packets arrive on INSIDE (see device/tun/tunnel-endpoint.ts).
 */
import { TunnelEndpoint } from '../../device/tun/tunnel-endpoint.js';
import { VethInjector } from '../../device/tun/veth-injector.js';
import { Umem } from '../../device/umem.js';

/**
 * One packet at a time is in flight. It may have the largest length of IP: a kernel may have merged
 * several (GRO).
 */
const FRAMES = 4;
const FRAME_SIZE = 128 * 1024;

function start([inside, outside]: readonly string[]): TunnelEndpoint {
  if (!inside || !outside) throw new Error('usage: decapsulator INSIDE OUTSIDE');
  const umem = new Umem(FRAMES, FRAME_SIZE);
  return new TunnelEndpoint(umem, new VethInjector(umem, inside, outside));
}

try {
  // The signal handlers keep a reference to the endpoint. Without one it would be collected: the
  // event loop handle of raw-socket does not keep it.
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
