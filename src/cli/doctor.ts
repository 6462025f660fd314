/** `ulvs doctor`: what is wrong with a lab, or with the director on this box. Exit code 0 healthy, 1 findings. */
import { Command } from 'commander';
import type { ServiceEntry } from '../control/admin.js';
import { loadConfig } from '../control/config.js';
import { gatherBox, gatherLab } from '../lab/doctor/gather-site.js';
import type { DirectorFacts, Finding, ServiceFact, Site } from '../lab/doctor/site.js';
import { consult } from '../lab/doctor/syn.js';
import { type Lab, matching } from '../lab/lab.js';
import { findTopology } from '../lab/topologies/index.js';
import { SVC_PERSISTENT } from '../service/config.js';
import { guarded, UserError } from './guard.js';
import { ask, socketOption, withDirector } from './inquiry.js';

interface Options {
  lab?: string;
  socket: string;
  config?: string;
  json?: boolean;
}

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('look for what breaks an LVS: routes, ARP, redirects, rp_filter, listeners, tunnels, firewalls, marks')
    .option('--lab <id|name>', 'all hosts of a lab, instead of this box')
    .addOption(socketOption())
    .option('-c, --config <file>', "the director's configuration (default: the one it was started with)")
    .option('--json', 'the findings as a JSON array')
    .action((options: Options) => guarded(() => doctor(options)));
}

async function doctor(options: Options): Promise<void> {
  if (process.getuid?.() !== 0) throw new UserError('doctor looks into namespaces and asks by ARP: run it with sudo');
  const site = await gather(options);
  const findings = await consult(site);
  if (options.json) console.log(JSON.stringify(findings, null, 2));
  else console.log(findings.length > 0 ? findings.map(paragraph).join('\n\n') : healthy(site));
  process.exitCode = findings.length > 0 ? 1 : 0;
}

function gather({ lab, socket, config = '' }: Options): Promise<Site> {
  if (lab === undefined) return gatherBox(askDirector, socket, config);
  return gatherLab(findLab(lab), askDirector);
}

/** By id, or by the name of a topology that is up once. */
export function findLab(name: string): Lab {
  const found = matching(name);
  if (found.length === 0) throw new UserError(`no lab ${name} is up; \`ulvs lab list\` shows what is`);
  if (found.length > 1)
    throw new UserError(`${found.length} labs of ${name} are up; say which: ${found.map(({ id }) => id).join(', ')}`);
  return { ...found[0]!, spec: findTopology(found[0]!.topology) };
}

export async function askDirector(socket: string, file: string): Promise<DirectorFacts> {
  const { services, status, sysctls } = await withDirector(socket, async (client) => ({
    ...(await ask(client, { op: 'list' })),
    ...(await ask(client, { op: 'status' })),
    ...(await ask(client, { op: 'getSysctls' })),
  }));
  if (!services || !status || !sysctls) throw new Error(`the director on ${socket} does not tell of itself`);
  const { marks, accept } = loadConfig(file || status.config);
  return {
    services: services.map(serviceFact),
    pid: status.pid,
    devices: status.devices,
    expireQuiescentTemplate: sysctls.expire_quiescent_template !== 0,
    marks,
    ranges: accept.ranges,
    forwardShared: accept.forwardShared,
  };
}

function serviceFact({ key, scheduler, flags, destinations }: ServiceEntry): ServiceFact {
  return { key, scheduler, persistent: (flags & SVC_PERSISTENT) !== 0, destinations };
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
