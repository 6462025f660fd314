/** `ulvs trace`: shows what a running director does with each packet, and why. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { PcapngWriter } from '../../capture/pcapng-writer.js';
import type { AdminReply, AdminRequest } from '../../control/api/api.js';
import { SocketClient } from '../../control/api/client.js';
import type { TraceRecord } from '../../dataplane/trace/trace.js';
import { formatRecord } from '../../trace/format.js';
import { guarded, UserError } from '../guard.js';
import { socketOption } from '../inquiry.js';

interface Options {
  count?: string;
  drops?: boolean;
  pcap?: string;
  json?: boolean;
  socket: string;
}

const POLL_MS = 100;
const ENDLESS = 2_147_483_647;

export function traceCommand(): Command {
  return new Command('trace')
    .description('show what a running director does with each packet, and why')
    .argument(
      '[filter...]',
      "which packets, in tcpdump's language: host, net, port, tcp, udp, icmp, src, dst, and, or, not",
    )
    .option('--count <n>', 'stop after this many records; a packet that waited for its next hop has two')
    .option('--drops', 'dropped packets only, with the reason')
    .option('--pcap <file>', 'write a pcapng file with the explanation as a comment on each packet')
    .option('--json', 'print one JSON object for each packet')
    .addOption(socketOption())
    .action((filter: string[], options: Options) => guarded(() => trace(filter.join(' '), options)));
}

async function trace(filter: string, options: Options): Promise<void> {
  const count = countOf(options.count);
  const client = new SocketClient(options.socket);
  const writer = options.pcap === undefined ? undefined : new PcapngWriter(options.pcap);
  let stopped = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (stopped = true));
  try {
    await ask(client, { op: 'traceStart', filter, dropsOnly: options.drops === true, count });
    console.error(waiting(filter, options));
    for (let over = false; !over; ) {
      const { trace: got } = await ask(client, stopped ? { op: 'traceStop' } : { op: 'tracePoll' });
      for (const record of got?.records ?? []) show(record, options, writer);
      over = got?.over ?? true;
      if (!over) await sleep(POLL_MS);
    }
  } finally {
    writer?.close();
    client.close();
  }
}

/** Said once the director traces: packets from now on are seen. */
function waiting(filter: string, { drops, count }: Options): string {
  const packets = `${count === undefined ? '' : `${count} records of `}${drops ? 'dropped ' : ''}packets`;
  return `ulvs trace: waiting for ${packets}${filter === '' ? '' : ` (${filter})`}; Ctrl-C ends it`;
}

function countOf(text: string | undefined): number {
  if (text === undefined) return ENDLESS;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new UserError(`--count ${text}: not a number of packets from 1 to 999999999`);
  return Number(text);
}

async function ask(client: SocketClient, request: AdminRequest): Promise<Extract<AdminReply, { ok: true }>> {
  const reply = await client.request(request);
  if (reply.ok) return reply;
  throw new UserError(reply.text ?? `the director answered ${reply.errno}`);
}

function show(record: TraceRecord, { json }: Options, writer: PcapngWriter | undefined): void {
  if (writer !== undefined) save(record, writer);
  else if (json === true) console.log(JSON.stringify({ time: new Date(record.at).toISOString(), ...record }));
  else console.log(`${formatRecord(record)}\n`);
}

/** A frame that waited came once: the record of its leaving has only what left. */
export function save(record: TraceRecord, writer: Pick<PcapngWriter, 'write'>): void {
  const us = Math.round(record.at * 1000);
  const waited = !record.dropped && record.steps.some(({ step }) => step === 'waited');
  if (!waited) writer.write(record.device, us, Buffer.from(record.hex, 'hex'), formatRecord(record));
  const comment = waited ? formatRecord(record) : `sent because of the packet from ${record.device}`;
  for (const out of record.out) writer.write(out.device, us, Buffer.from(out.hex, 'hex'), comment);
}
