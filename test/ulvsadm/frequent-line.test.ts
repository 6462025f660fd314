/** The quick reader of frequent lines, against the grammar: it asks for the same, or it leaves the line. */
import { expect, it } from 'vitest';
import type { AdminReply, AdminRequest, ChangeRequest } from '../../src/control/api/api.js';
import { FrequentLines } from '../../src/ulvsadm/frequent-line.js';
import { offlineNames } from '../../src/ulvsadm/names.js';
import { ulvsadm } from '../../src/ulvsadm/ulvsadm.js';
import { Random } from '../support/seed.js';

/** What the grammar makes of a line. A second blank keeps it from the quick reader. */
async function byGrammar(line: string): Promise<ChangeRequest | undefined> {
  const asked: ChangeRequest[] = [];
  const request = async (one: AdminRequest): Promise<AdminReply> => {
    if (one.op === 'batch') asked.push(...one.requests);
    return { ok: true, replies: [{ ok: true }] };
  };
  await ulvsadm(['-R'], () => `${line.replace(' ', '  ')}\n`, { request }, { names: offlineNames() });
  return asked[0];
}

const ADDRESSES = ['10.0.0.1', '10.1.2.3', '010.0.0.1', '10.0.0', '10.0.0.256', '0.0.0.0', '1.2.3.4.5', '::1', 'web'];
const PORTS = ['80', '0', '080', '65535', '65536', '99999', 'http', ''];
const METHODS = ['', ' -m', ' -g', ' -i', ' -b', ' --full-nat', ' -m -g'];
const WEIGHTS = [
  '',
  ' -w 1',
  ' -w 0',
  ' -w 007',
  ' -w 999999999',
  ' -w 2147483647',
  ' -w 9999999999',
  ' -w -1',
  ' -x 5',
];

it('reads what the grammar reads, or leaves the line to it', async () => {
  const random = new Random(1);
  const one = <T>(of: readonly T[]): T => of[random.below(of.length)]!;
  const often = <T>(of: readonly T[]): T => (random.below(3) > 0 ? of[0]! : one(of));
  const lines = new FrequentLines();
  let read = 0;
  for (let i = 0; i < 5000; i++) {
    const end = `${often(ADDRESSES)}:${often(PORTS)}`;
    const service = `-${one(['t', 'u', 'f', 'tt'])} ${often(ADDRESSES)}:${often(PORTS)}`;
    const line = `-${often(['a', 'e', 'A'])} ${service} -r ${end}${one(METHODS)}${often(WEIGHTS)}${often(['', ' ', ' x'])}`;
    const quick = lines.read(line);
    if (quick === undefined) continue;
    expect(await byGrammar(line), line).toEqual(quick);
    read++;
  }
  expect(read).toBeGreaterThan(200);
});

it('reads what -S -n writes', () => {
  const read = (line: string) => new FrequentLines().read(line) !== undefined;
  expect(read('-a -t 10.0.0.1:80 -r 10.1.0.1:8080 -m -w 1')).toBe(true);
  expect(read('-a -u 10.0.0.1:53 -r 10.1.0.1:53 -g -w 0')).toBe(true);
  expect(read('-A -t 10.0.0.1:80 -s rr')).toBe(false);
});

it('gives lines of one service one key', () => {
  const lines = new FrequentLines();
  const keys = [1, 2].map((i) => (lines.read(`-a -t 10.0.0.1:80 -r 10.1.0.${i}:80 -m`) as { key: object }).key);
  expect(keys[0]).toBe(keys[1]);
});
