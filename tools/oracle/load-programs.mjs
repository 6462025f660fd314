// Loads the XDP programs of an xdp device, without and with a flow table, into the kernel that runs
// this, and says how many instructions the verifier examined (its limit is a million). Needs a
// build, and root:  tools/oracle/guest --share $PWD -- node tools/oracle/load-programs.mjs
import { release } from 'node:os';
import { FlowMaps } from '../../dist/device/flow/maps.js';
import { InterceptMaps } from '../../dist/device/xdp/intercept-maps.js';
import { interceptProgram } from '../../dist/device/xdp/program.js';
import { createMap, loadXdp, MapType, programInfo, testXdp } from '../../dist/sys/bpf.js';

const intercept = new InterceptMaps('lo', () => Buffer.from('020000000d00', 'hex'));
intercept.update([]);
const xsks = createMap({ type: MapType.xskMap, keySize: 4, valueSize: 4, entries: 1 });
const { fds } = new FlowMaps(10);
const uses = { 'no flow table': undefined, 'a flow table': { fds, completes: true } };
for (const [what, flows] of Object.entries(uses)) {
  const text = interceptProgram(intercept.fds, xsks, flows);
  const program = loadXdp(text);
  const result = testXdp(program, new Uint8Array(64));
  const { verified } = programInfo(program);
  console.log(`Linux ${release()}, ${what}: ${text.length / 8} instructions, ${verified} examined, result ${result}`);
}
