/**
 * The least that a forwarder in XDP does: a program writes the MAC addresses and redirects to the
 * other device. What a contender needs beyond it is its own cost.
 */
import { Assembler, Call } from '../../../src/device/bpf/assembler.js';
import { CLIENT_MAC, DIRECTOR_MACS, REALSERVER_MAC } from '../../../src/lab/flood/testbed.js';
import { createMap, loadXdp, MapType, updateMap, XDP_DROP } from '../../../src/sys/bpf.js';
import { attachXdp, XDP_FLAGS_DRV_MODE } from '../../../src/sys/bpf-link.js';
import { close, ifNameToIndex } from '../../../src/sys/libc.js';
import { inNetns } from '../../../src/sys/netns.js';
import { bytesMac, parseMac } from '../../../src/wire/address.js';
import { HEADER } from '../../../src/wire/ethernet.js';
import type { Contender } from './contender.js';

/** From one device to the other, with these MAC addresses. */
interface Way {
  readonly from: string;
  readonly to: string;
  readonly macs: readonly [destination: string, source: string];
}
const TO_SERVER: Way = { from: 'eth0', to: 'eth1', macs: [REALSERVER_MAC, DIRECTOR_MACS[1]] };
const TO_CLIENT: Way = { from: 'eth1', to: 'eth0', macs: [CLIENT_MAC, DIRECTOR_MACS[0]] };

export function redirect(more: Pick<Contender, 'xdpSink' | 'replies'> = {}): Contender {
  const fds: number[] = [];
  const start: Contender['start'] = async (testbed) => {
    await testbed.takeRedirected();
    inNetns(testbed.namespace('director'), () => fds.push(...attach(TO_SERVER), ...attach(TO_CLIENT)));
    return 0;
  };
  const stop = () => {
    for (const fd of fds.splice(0)) close(fd);
  };
  const name = `bare redirect${more.replies ? ' out' : ''}${more.xdpSink ? ', XDP sink' : ''}`;
  return { name, tap: false, ...more, start, stop };
}

function attach({ from, to, macs }: Way): number[] {
  const devices = createMap({ type: MapType.devMap, keySize: 4, valueSize: 4, entries: 1 });
  updateMap(devices, words(0), words(ifNameToIndex(to)));
  const program = loadXdp(instructions(devices, macs));
  return [attachXdp(program, ifNameToIndex(from), XDP_FLAGS_DRV_MODE), program, devices];
}

function words(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

function instructions(devices: number, [destination, source]: Way['macs']): Uint8Array {
  const macs = Buffer.concat([destination, source].map((mac) => bytesMac(parseMac(mac)!)));
  const asm = new Assembler().load(32, 'r2', 'r1', 0).load(32, 'r3', 'r1', 4).mov('r4', 'r2').add('r4', HEADER);
  asm.jumpIf('r4', '>', 'r3', 'drop');
  for (let at = 0; at < macs.length; at += 4) asm.store(32, 'r2', at, macs.readInt32LE(at));
  asm.map('r1', devices).mov('r2', 0).mov('r3', 0).call(Call.redirectMap).exit();
  return asm.label('drop').mov('r0', XDP_DROP).exit().assemble();
}
