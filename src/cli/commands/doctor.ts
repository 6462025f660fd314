/** `ulvs doctor`: finds what is wrong with a lab, or with the director on this machine. */
import { Command } from 'commander';
import { diagnose } from '../../doctor/client-syn.js';
import { examine } from '../../doctor/examine.js';
import type { Facts } from '../../doctor/facts.js';
import { gatherMachine } from '../../doctor/gather-machine.js';
import { type Probed, probeRealservers } from '../../doctor/probe/probe.js';
import { mayMakeNamespaces } from '../../lab/build/rootless.js';
import { gatherLab } from '../../lab/faults/gather-lab.js';
import { invocation } from '../../lab/invocation.js';
import { capabilitiesAmong } from '../../sys/privileges.js';
import { askDirector, askLocalDirector } from '../doctor/ask-director.js';
import { reportText } from '../doctor/report.js';
import { findLab } from '../find-lab.js';
import { guarded, UserError } from '../guard.js';
import { socketOption } from '../inquiry.js';

interface Options {
  lab?: string;
  socket: string;
  config?: string;
  json?: boolean;
  probe: boolean;
}

const HELP = `
In a lab the doctor inspects every host (routes, sysctls, sockets, firewalls
...). If it finds nothing, the client sends a SYN for each destination.

On a director's machine the doctor inspects that machine only, and probes the
realservers:
  - ARP or neighbour discovery for the VIPs and the next hops.
  - One SYN to each destination, in the form that the director would send (NAT:
    to RIP:port; DR: to the VIP at the realserver's MAC; Tun: inside IPIP), but
    from this machine's own address. Without an answer it sends a second SYN and
    a ping. UDP services get a ping only.
  - SYNs to each TCP service through the director.
  - One SYN from the VIP to each NAT realserver, to see whether the reply comes
    back here.
The SYNs have source ports 31000 to 31999. An RST ends each of them: no
application sees a connection. Those through the director stay in its table for
a minute, half open (SYN_RECV, counted as active). All this takes about three
seconds. --no-probe sends nothing.`;

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('find what breaks an LVS: routes, ARP, redirects, rp_filter, listeners, tunnels, firewalls, marks')
    .option('--lab <id|name>', 'all hosts of a lab, instead of this machine')
    .addOption(socketOption())
    .option('-c, --config <file>', "the director's configuration (default: the one it was started with)")
    .option('--json', 'print the findings as a JSON array')
    .option('--no-probe', 'inspect only, send nothing')
    .addHelpText('after', HELP)
    .action((options: Options) => guarded(() => doctor(options)));
}

async function doctor(options: Options): Promise<void> {
  checkPrivileges(options);
  const facts = await gather(options);
  const { findings: found, ...probed } = await diagnosisOf(facts, options);
  const findings = found.map((one) => ({ ...one, fix: one.fix.map((words) => invocation(words)) }));
  console.log(options.json ? JSON.stringify(findings, null, 2) : reportText(facts, probed, findings));
  process.exitCode = findings.length > 0 ? 1 : 0;
}

/** The console of a director that is not root has what the director's nft has: CAP_NET_ADMIN. */
function checkPrivileges({ lab, probe }: Options): void {
  if (mayMakeNamespaces()) return;
  if (lab !== undefined || probe)
    throw new UserError('doctor enters namespaces and sends ARP requests, which needs root: run it with sudo');
  if (capabilitiesAmong(['CAP_NET_ADMIN']).length === 0)
    throw new UserError(
      'doctor --no-probe reads the rules of the firewall, which needs CAP_NET_ADMIN: run it with sudo',
    );
}

function gather({ lab, socket, config = '', probe }: Options): Promise<Facts> {
  if (lab === undefined) return gatherMachine(askLocalDirector, socket, config, probe);
  return gatherLab(findLab(lab), askDirector, probe);
}

/** A lab's hosts can all be inspected; the realservers of a machine can only be probed. */
async function diagnosisOf(facts: Facts, { lab, probe }: Options): Promise<Probed> {
  if (!probe) return { findings: examine(facts), rows: [], notes: [], reason: '--no-probe' };
  if (lab !== undefined) return { findings: await diagnose(facts), rows: [], notes: [], reason: '' };
  const inspected = examine(facts);
  const probed = await probeRealservers(facts);
  return { ...probed, findings: [...inspected, ...probed.findings] };
}
