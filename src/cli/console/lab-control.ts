/** What a console can do in a lab: its drawing, a request of the client, faults on and off. */
import type { LabControl, LabDrawing } from '../../control/console/extras.js';
import { diagnose } from '../../doctor/client-syn.js';
import type { Lab } from '../../lab/build/lab.js';
import { shell, topologiesOf } from '../../lab/faults/fault.js';
import { gatherLab } from '../../lab/faults/gather-lab.js';
import { faults, findFault } from '../../lab/faults/index.js';
import { namespaceOf } from '../../lab/names.js';
import { endpoint } from '../../service/config.js';
import { inNamespace } from '../../sys/command.js';
import { askDirector } from '../doctor/ask-director.js';

/** Time that the client waits for an answer, s. */
const PATIENCE_S = 3;

export function labControl(lab: Lab): LabControl {
  return {
    drawing: drawingOf(lab),
    breakBy: async (name) => {
      const fault = findFault(name);
      if (!topologiesOf(fault).includes(lab.topology)) throw new Error(`${lab.topology} cannot have the fault ${name}`);
      await fault.inject(lab);
    },
    repair: () => repair(lab),
    request: () => request(lab),
  };
}

function drawingOf({ id, topology, spec }: Lab): LabDrawing {
  const hosts = spec.hosts.map(({ name, role, ports, vip }) => ({
    name,
    role,
    ports: ports.map(({ dev, segment, mac, address, also = [] }, i) => {
      const addresses = [address, ...also, ...(i === 0 && vip ? [vip.address] : [])].filter(Boolean);
      return { dev, segment, mac, addresses };
    }),
  }));
  const possible = faults.filter((fault) => topologiesOf(fault).includes(topology));
  return {
    id,
    topology,
    summary: spec.summary,
    hosts,
    vips: spec.vips,
    faults: possible.map(({ name, title }) => ({ name, title })),
  };
}

/** Runs the commands of all findings, in the order of the doctor. */
async function repair(lab: Lab): Promise<readonly string[]> {
  const findings = await diagnose(await gatherLab(lab, askDirector));
  const commands = findings.flatMap(({ fix }) => fix);
  for (const words of commands) await shell(words);
  return commands;
}

async function request({ id, spec }: Lab): Promise<string> {
  const url = `http://${endpoint(spec.vips[0]!, spec.httpPort)}/`;
  const words = ['curl', '-g', '-sS', '-m', String(PATIENCE_S), url];
  const { stdout } = await inNamespace(namespaceOf(id, 'client'), ...words).catch((error: Error) => {
    throw new Error(`no answer: ${error.message.split('\n').at(-1)}`);
  });
  return stdout.trim().slice(0, 200);
}
