// Loads the programs of an xdp device, without and with a flow table, and those of a packet device
// with one, into the kernel that runs this, and says how many instructions the verifier examined (its limit is a million), or why it
// refuses; then what a director with `offload: auto` says. Needs a build, and root:
//     tools/oracle/guest --share $PWD -- sh -c 'ulimit -l unlimited; node tools/oracle/load-programs.mjs'
import { release } from 'node:os';
import { FlowMaps } from '../../dist/device/flow/maps.js';
import { InterceptMaps } from '../../dist/device/xdp/intercept-maps.js';
import { interceptProgram } from '../../dist/device/xdp/program.js';
import { classifierProgram, filterProgram } from '../../dist/device/flow/skb.js';
import { openFlows } from '../../dist/control/engine/open-flows.js';
import { createMap, loadClassifier, loadSocketFilter, loadXdp, MapType } from '../../dist/sys/bpf.js';
import { syscall } from '../../dist/sys/libc.js';
import { addressOf } from '../../dist/sys/memory.js';

const intercept = new InterceptMaps([{ name: 'lo' }], [], () => Buffer.from('020000000d00', 'hex'));
intercept.update([]);
const xsks = createMap({ type: MapType.xskMap, keySize: 4, valueSize: 4, entries: 1 });
const { fds } = FlowMaps.make(10);

report('XDP, no flow table', loadXdp, interceptProgram(intercept.fdsOf('lo'), xsks));
report('XDP, a flow table', loadXdp, interceptProgram(intercept.fdsOf('lo'), xsks, { fds, completes: true }));
report('socket filter', loadSocketFilter, filterProgram({ fds }));
report('classifier', loadClassifier, classifierProgram({ fds }));
for (const kind of ['xdp', 'packet']) {
  const lines = [];
  const flows = openFlows({ offload: 'auto', workers: 1 }, [{ kind }], { connections: false }, (line) => lines.push(line));
  console.log(`director with ${kind} devices: ${flows === undefined ? lines.join('; ') : 'offload'}`);
}

function report(what, load, text) {
  const size = `Linux ${release()}, ${what}: ${text.length / 8} instructions`;
  try {
    console.log(`${size}, ${verified(load(text)) || 'unknown'} examined`);
  } catch (error) {
    console.log(`${size}, refused (${error.code}): ${error.log.trimEnd().split('\n').filter((line) => !/^(processed|verification time|stack depth)/.test(line)).at(-1)}`);
  }
}

/** verified_insns of struct bpf_prog_info (BPF_OBJ_GET_INFO_BY_FD), Linux 5.16; 0 before. */
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
