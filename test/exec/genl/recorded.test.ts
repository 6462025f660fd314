/** What a program on moby/ipvs (Go) sends, as recorded under `ulvs exec`, and what it gets. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { SVC_ATTR } from '../../../src/exec/genl/constants.js';
import { inProcess } from '../../ulvsadm/director.js';
import { ask, hex, type Reply } from '../messages.js';

const REQUESTS = readFileSync(new URL('../recorded/moby-ipvs.txt', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n');

it('moby/ipvs makes, changes, lists and deletes services', async () => {
  const client = inProcess();
  const replies: Reply[][] = [];
  for (const line of REQUESTS) replies.push(await ask(client, hex(line)));
  const said = replies.map((all) => all.map((one) => (typeof one === 'string' ? one : one.command)).join(' '));
  expect(said).toEqual([
    '1 ACK', // GETFAMILY
    'ACK',
    'ACK',
    'EEXIST', // the same service again
    'ACK',
    'ACK',
    'ACK',
    'ACK',
    '1 ACK', // GET_SERVICE
    '1 1 DONE',
    '5 DONE',
    '5 DONE',
    '12 ACK', // GET_CONFIG
    'ACK',
    'ACK',
    '1',
    '1',
  ]);
});

it('a service has the flag HASHED, which kube-proxy asks for', async () => {
  const client = inProcess();
  for (const line of REQUESTS.slice(1, 6)) await ask(client, hex(line));
  const [service] = await ask(client, hex(REQUESTS[8]!));
  const flags = (service as Exclude<Reply, string>).attributes.nested(1)!.bytes(SVC_ATTR.FLAGS)!;
  expect([...flags]).toEqual([2, 0, 0, 0, 255, 255, 255, 255]);
});
