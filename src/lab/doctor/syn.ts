/**
 * A SYN of our own from a client to each TCP service, told from all others by its source port, and the hops that saw it go
 * by and the answer come back. It says where a connection ends when no check knows why.
 */
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { isFwmark } from '../../service/config.js';
import { inNamespace } from '../command.js';
import { examine } from './index.js';
import type { Finding, HostFacts, ServiceFact, Site } from './site.js';
import { clients, vipsOf } from './who.js';

/** Above what load programs use, below the kernel's own choices. */
const FIRST_PORT = 31_000;
const PORTS = 1000;
const PATIENCE_S = 2;

/** Looks first; where that finds nothing, tries. */
export async function consult(site: Site): Promise<Finding[]> {
  const findings = examine(site);
  return findings.length > 0 ? findings : sendSyns(site);
}

interface Hop {
  readonly host: string;
  readonly syn: boolean;
  readonly answer: boolean;
}

/** A lab may have services that are for others than its client. */
function asked(site: Site, service: ServiceFact): string[] {
  const { lab } = site;
  return vipsOf(site, service).filter((vip) => !lab || lab.vips.includes(vip));
}

/** A finding for each service that does not answer; none on a box, where there is no client. */
export async function sendSyns(site: Site): Promise<Finding[]> {
  const [from] = clients(site);
  const targets = site.director.services.flatMap((service) =>
    isFwmark(service.key) || service.key.protocol !== 6
      ? []
      : asked(site, service).map((vip) => [vip, service.key] as const),
  );
  const findings: Finding[] = [];
  if (!from) return findings;
  for (const [vip, key] of targets) findings.push(...(await probe(site, from.host, vip, 'port' in key ? key.port : 0)));
  return findings;
}

async function probe(site: Site, client: HostFacts, vip: string, port: number): Promise<Finding[]> {
  const own = FIRST_PORT + Math.floor(Math.random() * PORTS);
  const hosts = site.hosts.filter(({ role, namespace }) => role !== 'switch' && namespace !== '');
  const ears = hosts.map((host) => listen(host, own));
  await sleep(300); // tcpdump opens its socket
  const answered = await connects(client, vip, port, own);
  await sleep(200);
  const hops = await Promise.all(ears.map((ear) => ear()));
  if (answered) return [];
  return [unanswered(client, `${vip}:${port}`, own, hops)];
}

/** What it heard, when it is asked for. */
function listen({ name, namespace }: HostFacts, own: number): () => Promise<Hop> {
  const words = ['tcpdump', '-i', 'any', '-nn', '-l', '--immediate-mode', 'tcp', 'port', String(own)];
  const more = ['or', '(ip[9]', '=', '4', 'and', 'ip[40:2]', '=', `${own})`];
  const child = spawn('ip', ['netns', 'exec', namespace, ...words, ...more], { stdio: ['ignore', 'pipe', 'ignore'] });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  child.on('error', () => {});
  return async () => {
    child.kill('SIGTERM');
    return { host: name, syn: text.includes('Flags [S]'), answer: /Flags \[(S\.|R)/.test(text) };
  };
}

/** Connected at all, whatever is said then. */
async function connects({ namespace }: HostFacts, vip: string, port: number, own: number): Promise<boolean> {
  const options = `-s -o /dev/null -m ${PATIENCE_S} --local-port ${own} -w '%{time_connect}'`;
  const { stdout } = await inNamespace(namespace, 'sh', '-c', `curl ${options} http://${vip}:${port}/ || true`);
  return Number(stdout) > 0;
}

function unanswered(client: HostFacts, target: string, own: number, hops: readonly Hop[]): Finding {
  const by = (seen: (hop: Hop) => boolean) =>
    hops
      .filter(seen)
      .map(({ host }) => host)
      .join(', ') || 'nobody';
  return {
    id: 'syn-unanswered',
    host: client.name,
    wrong: `a connection to ${target} is not made`,
    seen: `a SYN from ${client.name}, port ${own}, was seen by ${by(({ syn }) => syn)}; its answer by ${by(({ answer }) => answer)}`,
    consequence: 'clients that meet the same realserver cannot connect',
    mend: [],
  };
}
