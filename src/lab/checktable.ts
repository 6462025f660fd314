/** The director's own table against what realservers and client counted. */
import type { Answer } from './job.js';
import { countOf } from './lab.js';
import type { Check, Outcome, Run } from './run.js';
import { type ConnectionRow, type Row, readConnections, readStats, ulvsadm } from './table.js';
import { addressOf, hostOf, realservers, repliesPassDirector, serviceNames, type Topology } from './topology.js';

export const tableChecks: Check = async (run) => {
  const rows = readStats(await ulvsadm(run.lab.id, '-Ln', '--stats', '--exact'));
  const connections = readConnections(await ulvsadm(run.lab.id, '-Lnc'));
  return [...(await counts(run, rows)), replies(rows, run.lab.spec), entries(run, connections)];
};

/** Conns of each destination = connections (TCP) or client addresses and ports (UDP) that its realserver saw. */
async function counts(run: Run, rows: readonly Row[]): Promise<Outcome[]> {
  const { spec, id } = run.lab;
  const names = serviceNames(spec);
  const hosts = realservers(spec);
  const counted = await Promise.all(hosts.map((host) => countOf(id, host.name)));
  const ofTable = (service: string) =>
    hosts.map(
      (host) => rows.find((row) => row.service === service && isAt(row.destination, addressOf(host)))?.conns ?? -1,
    );
  return [
    same(
      `table and realservers agree: ${names.http}`,
      ofTable(names.http),
      counted.map(({ connections }) => connections),
    ),
    same(
      `table and realservers agree: ${names.echo}`,
      ofTable(names.echo),
      counted.map(({ flows }) => flows),
    ),
  ];
}

function isAt(destination: string, address: string): boolean {
  return destination.split(':')[0] === address;
}

function same(name: string, table: number[], counted: number[]): Outcome {
  const ok = table.every((conns, i) => conns > 0 && conns === counted[i]);
  const figure = ok ? `Conns ${table.join('/')}` : `Conns ${table.join('/')}, counted ${counted.join('/')}`;
  return { name, ok, figure };
}

/** OutPkts is 0 where replies miss the director; where they pass it, every destination has some. */
function replies(rows: readonly Row[], spec: Topology): Outcome {
  const passing = repliesPassDirector(spec);
  const ok = rows.length > 0 && rows.every(({ outpkts }) => (passing ? outpkts > 0 : outpkts === 0));
  return { name: passing ? 'table counts replies' : 'table counts no reply', ok, figure: `OutPkts ${sum(rows)}` };
}

function sum(rows: readonly Row[]): number {
  return rows.reduce((total, { outpkts }) => total + outpkts, 0);
}

/** Each connection the client made is listed, with the destination that answered it. */
function entries({ lab, tcp, udp }: Run, rows: readonly ConnectionRow[]): Outcome {
  const cip = addressOf(hostOf(lab.spec, 'client'));
  const byClient = new Map(rows.map((row) => [`${row.protocol} ${row.source} ${row.virtual}`, row.destination]));
  const rip = new Map(realservers(lab.spec).map((host) => [host.name, addressOf(host)]));
  const listed = (protocol: string, { localPort, target, name }: Answer) =>
    isAt(byClient.get(`${protocol} ${cip}:${localPort} ${target}`) ?? '', rip.get(name) ?? '?');
  const right =
    tcp.filter((answer) => listed('TCP', answer)).length + udp.filter((answer) => listed('UDP', answer)).length;
  const wanted = tcp.length + udp.length;
  const figure = `${right} of ${wanted} answers, ${rows.length} entries`;
  return { name: 'connection table names who answered', ok: wanted > 0 && right === wanted, figure };
}
