/** The IPIP endpoint of a Tun realserver, as a program: `node decapsulator.js TUN` (see device/ipip-endpoint.ts). */
import { IpipEndpoint } from '../device/ipip-endpoint.js';
import { Umem } from '../device/umem.js';

/** One packet at a time is under way; as long as IP allows, for a kernel may have put several together (GRO). */
const FRAMES = 4;
const FRAME_SIZE = 128 * 1024;

function start(tun: string | undefined): IpipEndpoint {
  if (!tun) throw new Error('usage: decapsulator TUN');
  return new IpipEndpoint(new Umem(FRAMES, FRAME_SIZE), tun);
}

try {
  // The signal handlers keep the endpoint: raw-socket's own event loop handle does not, and it would be collected.
  const endpoint = start(process.argv[2]);
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
