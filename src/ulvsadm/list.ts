/** -L and -S: listings of services, connections, timeouts and daemons. */
import type { AdminReply, ConnectionEntry, ServiceEntry } from '../control/api/api.js';
import { mustAsk, type Run } from './ask.js';
import { type Draft, keyOf } from './draft.js';
import { connectionAddresses, type Label, namedLabel, numericLabel, serviceAddresses } from './labels.js';
import { sortServices } from './order.js';
import { printConnections } from './print-connections.js';
import { banner, printServices } from './print-services.js';
import { type Style, styleOf } from './style.js';

type ConnectionsPage = Extract<AdminReply, { ok: true }>;

/** Prints any listing of -L, and -S, which is one of them. Returns the exit code. */
export async function list(run: Run, draft: Draft): Promise<number> {
  const { options } = draft;
  const style = styleOf(draft);
  if (options.has('connection')) await listConnections(run, style);
  else if (options.has('service-address')) await listService(run, draft, style);
  else if (options.has('timeout')) await listTimeouts(run);
  else if (options.has('daemon')) await listDaemons(run);
  else await listAll(run, style);
  return 0;
}

async function listAll(run: Run, style: Style): Promise<void> {
  const { services = [], info } = await mustAsk(run, { op: 'list' });
  if (style.layout !== 'rules' && !run.json) run.out += banner(info?.size ?? 4096);
  const sorted = style.sorted ? sortServices(services) : services;
  await print(run, sorted, style);
}

async function listService(run: Run, draft: Draft, style: Style): Promise<void> {
  const { services = [] } = await mustAsk(run, { op: 'list', key: keyOf(draft) });
  await print(run, services, style);
}

async function print(run: Run, services: readonly ServiceEntry[], style: Style): Promise<void> {
  if (run.json) return printJson(run, { services });
  const label = await labelFor(run, style, serviceAddresses(services));
  run.out += printServices(services, style, label);
}

async function listConnections(run: Run, style: Style): Promise<void> {
  const connections = await readConnections(run);
  if (run.json) return printJson(run, { connections });
  const label = await labelFor(run, style, connectionAddresses(connections));
  run.out += printConnections(connections, style.engines, label);
}

/** Reads the connection table page by page: a million entries would be too much for one message. */
async function readConnections(run: Run): Promise<ConnectionEntry[]> {
  const all: ConnectionEntry[] = [];
  for (let from: number | undefined = 0; from !== undefined; ) {
    const page: ConnectionsPage = await mustAsk(run, { op: 'connections', from });
    for (const connection of page.connections ?? []) all.push(connection);
    from = page.next;
  }
  return all;
}

async function listTimeouts(run: Run): Promise<void> {
  const { timeouts } = await mustAsk(run, { op: 'getTimeouts' });
  if (!timeouts) return;
  if (run.json) return printJson(run, { timeouts });
  run.out += `Timeout (tcp tcpfin udp): ${timeouts.tcp} ${timeouts.tcpfin} ${timeouts.udp}\n`;
}

async function listDaemons(run: Run): Promise<void> {
  const { daemons = [] } = await mustAsk(run, { op: 'daemons' });
  if (run.json) return printJson(run, { daemons });
  for (const { role, interface: name, syncid, maxlen, group, port, ttl } of daemons)
    run.out += `${role} sync daemon (mcast=${name}, syncid=${syncid}, maxlen=${maxlen}, group=${group}, port=${port}, ttl=${ttl})\n`;
}

function printJson(run: Run, value: object): void {
  run.out += `${JSON.stringify(value, null, 2)}\n`;
}

async function labelFor(run: Run, style: Style, addresses: readonly string[]): Promise<Label> {
  return style.numeric ? numericLabel : namedLabel(addresses, run.names);
}
