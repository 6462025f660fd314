/** The IPIP endpoint of a Tun realserver, as a program: `node decapsulator.js TUN` (see device/ipip-endpoint.ts). */
import { IpipEndpoint } from '../device/ipip-endpoint.js';
import { Umem } from '../device/umem.js';

/** One packet at a time is under way; as long as IP allows, for a kernel may have put several together (GRO). */
const FRAMES = 4;
const FRAME_SIZE = 128 * 1024;

function main(tun: string | undefined): void {
  if (!tun) throw new Error('usage: decapsulator TUN');
  new IpipEndpoint(new Umem(FRAMES, FRAME_SIZE), tun);
  console.log('ready');
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(0));
try {
  main(process.argv[2]);
} catch (error) {
  console.error((error as Error).message);
  process.exit(1);
}
