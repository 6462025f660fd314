/** `ulvs doctor`: what is wrong with a lab, or with the director on this box. Exit code 0 healthy, 1 findings. */
import { Command } from 'commander';
import type { DeviceStatus, DirectorStatus, ServiceEntry } from '../../control/api/api.js';
import { ask } from '../../control/api/ask.js';
import { loadConfig } from '../../control/config/config.js';
import { findKind } from '../../device/kinds.js';
import type { DeviceFact, DirectorFacts, Finding, ServiceFact, Site } from '../../doctor/facts.js';
import { gatherBox } from '../../doctor/gather-site.js';
import { examine } from '../../doctor/index.js';
import type { Row } from '../../doctor/probe/plan.js';
import { type Probed, probeBox } from '../../doctor/probe/probe.js';
import { consult } from '../../doctor/syn.js';
import { mayMakeNamespaces } from '../../lab/build/rootless.js';
import { gatherLab } from '../../lab/faults/gather-lab.js';
import { typed } from '../../lab/invocation.js';
import { SVC_PERSISTENT } from '../../service/config.js';
import { findLab } from '../find-lab.js';
import { guarded, UserError } from '../guard.js';
import { socketOption, withDirector } from '../inquiry.js';

interface Options {
  lab?: string;
  socket: string;
  config?: string;
  json?: boolean;
  probe: boolean;
}

const HELP = `
Of a lab every host is looked at (routes, sysctls, sockets, firewalls ...), and the client sends a SYN for each destination.

Of a director's box only the box itself can be looked at; what its realservers do it asks them by packets: ARP or neighbour
discovery; to each destination one SYN as the director would send it (NAT: to RIP:port, DR: to the VIP at its MAC, Tun: by IPIP), from
this box's own address, once more if there is no answer, then also a ping; to each TCP service one SYN through the director; to
each NAT realserver one in the VIP's name, to see whether its answer comes back here. All of them from ports 31000 to 31999, each
taken back by RST: no realserver has a connection, no application sees one. What went through the director stays in its table for
a minute, half open (SYN_RECV, counted as active). UDP services get a ping only. It takes about three seconds. --no-probe sends
nothing at all.`;

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('look for what breaks an LVS: routes, ARP, redirects, rp_filter, listeners, tunnels, firewalls, marks')
    .option('--lab <id|name>', 'all hosts of a lab, instead of this box')
    .addOption(socketOption())
    .option('-c, --config <file>', "the director's configuration (default: the one it was started with)")
    .option('--json', 'the findings as a JSON array')
    .option('--no-probe', 'only look, send nothing')
    .addHelpText('after', HELP)
    .action((options: Options) => guarded(() => doctor(options)));
}

async function doctor(options: Options): Promise<void> {
  if (!mayMakeNamespaces()) throw new UserError('doctor looks into namespaces and asks by ARP: run it with sudo');
  const site = await gather(options);
  const { findings: found, ...asked } = await consider(site, options);
  const findings = found.map((one) => ({ ...one, mend: one.mend.map((words) => typed(words)) }));
  if (options.json) console.log(JSON.stringify(findings, null, 2));
  else console.log([...probeLines(asked), ...verdictLines(site, findings)].join('\n'));
  process.exitCode = findings.length > 0 ? 1 : 0;
}

function gather({ lab, socket, config = '', probe }: Options): Promise<Site> {
  if (lab === undefined) return gatherBox(askDirector, socket, config, probe);
  return gatherLab(findLab(lab), askDirector, probe);
}

/** In a lab every host can be looked at; from a box the realservers can only be asked. */
async function consider(
  site: Site,
  { lab, probe }: Options,
): Promise<Omit<Probed, 'findings'> & { findings: Finding[] }> {
  if (!probe) return { findings: examine(site), rows: [], notes: [], reason: '--no-probe' };
  if (lab !== undefined) return { findings: await consult(site), rows: [], notes: [], reason: '' };
  const seen = examine(site);
  const probed = await probeBox(site);
  return { ...probed, findings: [...seen, ...probed.findings] };
}

export async function askDirector(socket: string, file: string): Promise<DirectorFacts> {
  const { services, status, sysctls } = await withDirector(socket, async (client) => ({
    ...(await ask(client, { op: 'list' })),
    ...(await ask(client, { op: 'status' })),
    ...(await ask(client, { op: 'getSysctls' })),
  }));
  if (!services || !status || !sysctls) throw new Error(`the director on ${socket} does not tell of itself`);
  const { marks, ranges, forwardShared } = configured(file, status);
  return {
    services: services.map(serviceFact),
    pid: status.pid,
    devices: status.devices.map(deviceFact),
    expireQuiescentTemplate: sysctls.expire_quiescent_template !== 0,
    refusesStrays: sysctls.nat_icmp_send !== 0,
    marks,
    ranges,
    forwardShared,
  };
}

/** What only the configuration says; one that is rule lines alone has no more to say. */
function configured(file: string, { config, rulesOnly }: DirectorStatus) {
  if (file === '' && rulesOnly) return { marks: [], ranges: [], forwardShared: [] };
  const { marks, accept } = loadConfig(file || config);
  return { marks, ranges: accept.ranges, forwardShared: accept.forwardShared };
}

/** A kind that this program does not know (another version's director) is taken for an interface of the host. */
function deviceFact({ name, kind, mac, mtu, addresses }: DeviceStatus): DeviceFact {
  const { shared = true, exclusive = false } = findKind(kind) ?? {};
  return { name, kind, shared, exclusive, mac, mtu, addresses };
}

function serviceFact({ key, scheduler, flags, destinations }: ServiceEntry): ServiceFact {
  return { key, scheduler, persistent: (flags & SVC_PERSISTENT) !== 0, destinations };
}

function probeLines({ rows, notes, reason }: Omit<Probed, 'findings'>): string[] {
  if (reason) return [`nothing was sent: ${reason}`, ''];
  if (rows.length === 0) return [];
  const line = ({ service, destination, method, verdict, detail }: Row) =>
    `  ${service.padEnd(24)} ${destination.padEnd(22)} ${method.padEnd(11)} ${verdict.padEnd(20)} ${detail}`.trimEnd();
  return [
    'asked: each realserver by a SYN of this host, not of a client, and taken back by RST (--no-probe leaves it out)',
    ...rows.map(line),
    ...notes.map((note) => `  ${note}`),
    '',
  ];
}

function verdictLines(site: Site, findings: readonly Finding[]): string[] {
  return [findings.length > 0 ? findings.map(paragraph).join('\n\n') : healthy(site)];
}

function healthy({ hosts, director }: Site): string {
  const seen = hosts.filter(({ role }) => role !== 'switch').length;
  return `healthy: ${director.services.length} services, ${seen} host${seen === 1 ? '' : 's'} looked at`;
}

function paragraph({ id, wrong, seen, consequence, mend }: Finding): string {
  return [
    `✘ ${wrong} (${id})`,
    `  seen: ${seen}`,
    `  so:   ${consequence}`,
    ...mend.map((one) => `  mend: ${one}`),
  ].join('\n');
}
