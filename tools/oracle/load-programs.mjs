// Loads the programs of an xdp device, without and with a flow table, and those of a packet device
// with one, into the kernel that runs this, and says how many instructions the verifier examined (its limit is a million). Needs a
// build, and root:  tools/oracle/guest --share $PWD -- node tools/oracle/load-programs.mjs
import { release } from 'node:os';
import { FlowMaps } from '../../dist/device/flow/maps.js';
import { InterceptMaps } from '../../dist/device/xdp/intercept-maps.js';
import { interceptProgram } from '../../dist/device/xdp/program.js';
import { classifierProgram, filterProgram } from '../../dist/device/flow/skb.js';
import { createMap, loadClassifier, loadSocketFilter, loadXdp, MapType, testXdp } from '../../dist/sys/bpf.js';
import { syscall } from '../../dist/sys/libc.js';
import { addressOf } from '../../dist/sys/memory.js';

const intercept = new InterceptMaps('lo', () => Buffer.from('020000000d00', 'hex'));
intercept.update([]);
const xsks = createMap({ type: MapType.xskMap, keySize: 4, valueSize: 4, entries: 1 });
const { fds } = FlowMaps.make(10);
const uses = { 'no flow table': undefined, 'a flow table': { fds, completes: true } };
for (const [what, flows] of Object.entries(uses)) {
  const text = interceptProgram(intercept.fds, xsks, flows);
  const program = loadXdp(text);
  const result = testXdp(program, new Uint8Array(64));
  console.log(`Linux ${release()}, ${what}: ${text.length / 8} instructions, ${verified(program)} examined, result ${result}`);
}
const skbs = { 'socket filter': [loadSocketFilter, filterProgram], classifier: [loadClassifier, classifierProgram] };
for (const [what, [load, make]] of Object.entries(skbs)) {
  const text = make({ fds });
  console.log(`Linux ${release()}, ${what}: ${text.length / 8} instructions, ${verified(load(text))} examined`);
}

/** verified_insns of struct bpf_prog_info (BPF_OBJ_GET_INFO_BY_FD), Linux 5.16. */
function verified(program) {
  const [bpf, getInfo, bytes] = [321, 15, 232];
  const info = new Uint8Array(new ArrayBuffer(256));
  const attributes = new DataView(new ArrayBuffer(152));
  attributes.setUint32(0, program, true);
  attributes.setUint32(4, bytes, true);
  attributes.setBigUint64(8, addressOf(info), true);
  syscall(bpf, getInfo, new Uint8Array(attributes.buffer), attributes.byteLength);
  return new DataView(info.buffer).getUint32(216, true);
}
