/** `-R` with many lines: requests on their way while others are read, messages and exit code in order. */
import { expect, it } from 'vitest';
import type { AdminReply, AdminRequest } from '../../src/control/api/api.js';
import { offlineNames } from '../../src/ulvsadm/names.js';
import { ulvsadm } from '../../src/ulvsadm/ulvsadm.js';

/** A director that answers only when as many requests wait as ulvsadm sends ahead, or no more come. */
function slowDirector(refused: ReadonlySet<string>) {
  const seen: { most: number; ops: string[] } = { most: 0, ops: [] };
  const waiting: (() => void)[] = [];
  const request = async (one: AdminRequest): Promise<AdminReply> => {
    if (one.op !== 'batch') return { ok: false, errno: 'EINVAL' };
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
      seen.most = Math.max(seen.most, waiting.length);
      setImmediate(() => waiting.shift()?.());
    });
    seen.ops.push(
      ...one.requests.map((each) => ('key' in each && each.key && 'port' in each.key ? `${each.key.port}` : '')),
    );
    return {
      ok: true,
      replies: one.requests.map((each): AdminReply => {
        const port = 'key' in each && each.key && 'port' in each.key ? each.key.port : 0;
        return refused.has(`${port}`) ? { ok: false, errno: 'EINVAL', text: `refused ${port}` } : { ok: true };
      }),
    };
  };
  return { client: { request }, seen };
}

const lines = (count: number) => Array.from({ length: count }, (_, i) => `-d -t 10.0.0.1:${i + 1} -r 10.0.0.2:80`);
const restore = (text: string, refused: readonly string[]) => {
  const { client, seen } = slowDirector(new Set(refused));
  return ulvsadm(['-R'], () => text, client, { names: offlineNames() }).then((result) => ({ ...result, ...seen }));
};

it('sends requests ahead, and all lines in order', async () => {
  const { rc, err, ops, most } = await restore(lines(7500).join('\n'), ['20', '2500', '7400']);
  expect(ops).toEqual(Array.from({ length: 7500 }, (_, i) => `${i + 1}`));
  expect(err).toBe('refused 20\nrefused 2500\nrefused 7400\n');
  expect(rc).toBe(0);
  expect(most).toBeGreaterThan(1);
});

it('ends with the code of its last line', async () => {
  expect((await restore(lines(3000).join('\n'), ['3000'])).rc).not.toBe(0);
  expect((await restore(lines(3001).join('\n'), ['3000'])).rc).toBe(0);
});

it('prints a message about a line after those of the lines before it', async () => {
  const { err, ops } = await restore([...lines(2500), '-d -t 10.0.0.1:80 --bogus', ...lines(2)].join('\n'), [
    '2400',
    '2',
  ]);
  expect(err.split('\n').slice(0, 2)).toEqual(['refused 2', 'refused 2400']);
  expect(err.trim().split('\n').at(-1)).toBe('refused 2');
  expect(ops).toHaveLength(2502);
});
