/**
 * DPDK's testpmd as a contender. It is written in C and forwards the same frames over the same
 * sockets on one core. It swaps the MAC addresses and does not balance.
 */
import { readFileSync } from 'node:fs';
import { untilReady } from '../../../src/lab/build/process.js';
import type { Testbed } from '../../../src/lab/flood/testbed.js';
import type { Contender } from './contender.js';

const CPU = 1;
const START_MS = 20_000;
/**
 * Makes stdout line-buffered. Its output is not a terminal, so a full buffer would hide that it is
 * ready.
 */
const LINE_BUFFERED = ['stdbuf', '-oL'];
/**
 * The main thread prints and sleeps, the other thread forwards. Both run on the contender's CPU.
 */
const EAL = ['--no-huge', '-m', '256', '--no-pci', '--no-telemetry', '--iova-mode=va', '--lcores', `0@${CPU},1@${CPU}`];
const TESTPMD = ['--forward-mode=macswap', '--nb-cores=1', '--stats-period=3600', '--total-num-mbufs=32768'];

export function testpmd(driver: 'net_af_xdp' | 'net_af_packet', more: Pick<Contender, 'replies'> = {}): Contender {
  const vdevs = [0, 1].flatMap((i) => ['--vdev', `${driver}${i},iface=eth${i}`]);
  const start = async (testbed: Testbed) => {
    const prefix = ['--file-prefix', `ulvs${process.pid}`];
    const running = testbed.start('testpmd', 'director', [
      ...LINE_BUFFERED,
      'dpdk-testpmd',
      ...EAL,
      ...prefix,
      ...vdevs,
      '--',
      ...TESTPMD,
    ]);
    await untilReady(running, () => /Logical Core|forwards packets/.test(readFileSync(running.log, 'utf8')), START_MS);
    return running.pid;
  };
  return { name: `testpmd, ${driver}${more.replies ? ', out' : ''}`, tap: false, ...more, start };
}
