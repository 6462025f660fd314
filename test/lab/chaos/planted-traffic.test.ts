/**
 * A server that behaves as clients see a director with a bug: it changes bytes, loses connections,
 * falls silent. The invariants say so. The client is that of the lab.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import dgram from 'node:dgram';
import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { brokenConnections, stillBroken, troubleIn } from '../../../src/lab/chaos/invariants.js';
import { byteAt, type Report, SMALL } from '../../../src/lab/outage/measure.js';
import { DIST } from '../../e2e/testbed.js';

const HOST = '127.0.0.1';
const BLOCK = Buffer.from(Array.from({ length: 1000 }, (_, i) => byteAt(i)));
const CALM = 150;
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

interface Bug {
  readonly block?: Buffer;
  readonly echo?: (data: Buffer) => Buffer | undefined;
  /** What happens to the download after its first block. */
  readonly after?: (socket: Socket) => void;
  readonly refuses?: true;
}

/** What the client reports about the time after its begin. */
async function reportOf({ block = BLOCK, echo = (data) => data, after = () => {}, refuses }: Bug): Promise<Report> {
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (line) => {
      if (line.toString() === 'stream\n') socket.write(block, () => after(socket));
      else if (refuses) socket.resetAndDestroy();
      else socket.end(BLOCK.subarray(0, SMALL));
    });
  });
  const echoing = dgram.createSocket('udp4');
  echoing.on('message', (data, { port }) => {
    const answer = echo(data);
    if (answer !== undefined) echoing.send(answer, port, HOST);
  });
  await Promise.all([once(server.listen(0, HOST), 'listening'), once(echoing.bind(0, HOST), 'listening')]);
  const [tcp, udp] = [(server.address() as AddressInfo).port, echoing.address().port];
  const group = { name: 'eth0', from: HOST, vip: HOST, tcp, udp, flows: 1, downloads: 1, rate: 50 };
  const client = spawn(process.execPath, [path.join(DIST, 'lab/programs/outage-client.js'), JSON.stringify([group])]);
  ends.push(() => [server.close(), echoing.close(), client.kill('SIGKILL')]);
  return lastReport(client);
}

async function lastReport(client: ChildProcess): Promise<Report> {
  const lines = createInterface({ input: client.stdout! })[Symbol.asyncIterator]();
  await lines.next();
  await sleep(CALM);
  client.stdin!.write('report\n');
  await lines.next();
  await sleep(CALM);
  client.stdin!.write('report\n');
  const { value } = await lines.next();
  return (JSON.parse(value as string) as Report[])[0]!;
}

const flowing = (socket: Socket) => {
  const timer = setInterval(() => socket.write(nextOf(socket)), 5);
  socket.on('close', () => clearInterval(timer));
};
const nextOf = ({ bytesWritten }: Socket) =>
  Buffer.from(Array.from({ length: 100 }, (_, i) => byteAt(bytesWritten + i)));

function changed(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at]! ^= 1;
  return copy;
}

it('nothing is said of one that serves', async () => {
  const report = await reportOf({ after: flowing });
  expect([...brokenConnections(report, report), ...stillBroken(CALM, [report])]).toEqual([]);
});

it('a byte of a download is wrong', async () => {
  const report = await reportOf({ block: changed(BLOCK, 700), after: flowing });
  expect(brokenConnections(report, report)).toEqual(['2 wrong bytes were delivered']);
});

it('a byte of a datagram is wrong', async () => {
  const report = await reportOf({ echo: (data) => changed(data, 30), after: flowing });
  expect(brokenConnections(report, report)).toEqual([expect.stringMatching(/^\d+ wrong bytes were delivered$/)]);
});

it('a connection is lost', async () => {
  const report = await reportOf({ after: (socket) => socket.resetAndDestroy() });
  expect(brokenConnections(report, { ...report, lost: 0 })).toEqual([
    '1 connections to the healthy realserver were lost',
  ]);
  expect(brokenConnections({ ...report, lost: 0 }, report)).toEqual([]);
});

it('everything has fallen silent', async () => {
  const report = await reportOf({ echo: () => undefined, refuses: true });
  expect(stillBroken(CALM, [report])).toEqual([
    expect.stringMatching(/^by eth0 a download stands still for \d+ ms$/),
    'by eth0 no datagram comes back',
    'by eth0 no new connection succeeds',
  ]);
});

it('the log tells of a failure', () => {
  const lines = ['{"level":"info","msg":"director is up"}', '{"level":"error","msg":"dataplane: its thread ended"}'];
  // What the fault `descriptors` must cause.
  const told = '{"level":"error","msg":"not reloaded: /run/d.yaml: EMFILE: too many open files"}';
  expect(troubleIn([...lines, told].join('\n'))).toEqual([lines[1]]);
});
