/** Compares the director's tables with what realservers and client counted. */

import { endpoint } from '../../service/config.js';
import { countOf } from '../build/lab.js';
import type { Answer } from '../load/job.js';
import type { Count } from '../programs/service.js';
import {
  addressOf,
  addressOfEndpoint,
  balanced,
  hostOf,
  repliesAreCounted,
  type Server,
  type Service,
  servicesOf,
  type Topology,
} from '../topology.js';
import { type Row, readStats, ulvsadm } from '../watch/listing.js';
import type { Check, Outcome, Run } from './run.js';

export const tableChecks: Check = async (run) => {
  const rows = readStats(await ulvsadm(run.lab.id, '-Ln', '--stats', '--exact'));
  return [...(await counts(run, rows)), replies(rows, run.lab.spec), entries(run)];
};

/**
 * Conns of each destination must equal the number of connections (TCP), or of client addresses and
 * ports (UDP), that its server saw.
 */
async function counts(run: Run, rows: readonly Row[]): Promise<Outcome[]> {
  const { spec, id } = run.lab;
  const all = balanced(spec);
  const counted = await Promise.all(all.map(({ name }) => countOf(id, name)));
  return groupsOf(spec).map((services) => {
    const mine = rows.filter(({ service }) => services.some(({ name }) => name === service));
    const conns = all.map((server) => connsOf(spec, server, mine));
    const name = services.map((service) => service.name).join(', ');
    const seen = all.map((_, i) => (conns[i]! >= 0 ? countedBy(services[0]!, counted[i]!) : -1));
    return same(`table and realservers agree: ${name}`, conns, seen);
  });
}

/** Groups services that a server's counters cannot tell apart: those of the same protocols. */
function groupsOf(spec: Topology): Service[][] {
  const groups = new Map<string, Service[]>();
  for (const service of servicesOf(spec)) {
    const kind = `${service.tcp} ${service.udp}`;
    groups.set(kind, [...(groups.get(kind) ?? []), service]);
  }
  return [...groups.values()];
}

/** The sum of Conns of a server's destinations; -1 if it has none. */
function connsOf(spec: Topology, server: Server, rows: readonly Row[]): number {
  const mine = rows.filter(({ destination }) => isAt(destination, spec, server));
  return mine.length === 0 ? -1 : mine.reduce((total, { conns }) => total + conns, 0);
}

function countedBy({ tcp, udp }: Service, { connections, flows }: Count): number {
  return (tcp ? connections : 0) + (udp ? flows : 0);
}

/**
 * Whether a destination of the table is this server. Port 0 keeps the packet's port. The rules of
 * DR have the VIP's port even if the realserver redirects it.
 */
function isAt(destination: string, spec: Topology, { rip, http, echo, alsoHttp = [] }: Server): boolean {
  const ports = [0, http, echo, spec.httpPort, spec.echoPort, ...alsoHttp];
  return ports.some((port) => destination === endpoint(rip, port));
}

function same(name: string, table: number[], counted: number[]): Outcome {
  const ok = table.some((conns) => conns > 0) && table.every((conns, i) => conns !== 0 && conns === counted[i]);
  const shown = table.filter((conns) => conns >= 0).join('/');
  const figure = ok ? `Conns ${shown}` : `Conns ${shown}, counted ${counted.filter((n) => n >= 0).join('/')}`;
  return { name, ok, figure };
}

/**
 * OutPkts must be 0 if replies do not pass the director, and above 0 for each destination if they
 * do.
 */
function replies(all: readonly Row[], spec: Topology): Outcome {
  const passing = repliesAreCounted(spec);
  const rows = all.filter(({ destination }) => balanced(spec).some((server) => isAt(destination, spec, server)));
  const ok = rows.length > 0 && rows.every(({ outpkts }) => (passing ? outpkts > 0 : outpkts === 0));
  return { name: passing ? 'table counts replies' : 'table counts no replies', ok, figure: `OutPkts ${sum(rows)}` };
}

function sum(rows: readonly Row[]): number {
  return rows.reduce((total, { outpkts }) => total + outpkts, 0);
}

/**
 * Each connection of the client must have been in the table, with the destination that answered it.
 */
function entries({ lab, tcp, udp, connections }: Run): Outcome {
  const cip = addressOf(hostOf(lab.spec, 'client'));
  const rip = new Map(balanced(lab.spec).map((server) => [server.name, server.rip]));
  const listed = (protocol: string, { localPort, target, name }: Answer) =>
    addressOfEndpoint(connections.get(`${protocol} ${endpoint(cip, localPort)} ${target}`)?.destination ?? '') ===
    rip.get(name);
  const right =
    tcp.filter((answer) => listed('TCP', answer)).length + udp.filter((answer) => listed('UDP', answer)).length;
  const wanted = tcp.length + udp.length;
  const figure = `${right} of ${wanted} answers, ${connections.size} entries`;
  return { name: 'connection table names the realserver that answered', ok: wanted > 0 && right === wanted, figure };
}
