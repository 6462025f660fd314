/** The table of `ulvs fleet status`. */
import { expect, it } from 'vitest';
import { viewText } from '../../../src/cli/fleet/view-text.js';
import type { DirectorView } from '../../../src/control/fleet/view.js';

const director = (name: string, more: Partial<DirectorView> = {}): DirectorView => ({
  name,
  version: '0.1.0',
  started: 1_000_000,
  announced: ['10.9.0.1/32'],
  withdrawn: false,
  connections: 7,
  rules: 'equal',
  revision: 4,
  why: '',
  ...more,
});
const view = { revision: 5, digest: '0123456789ab', keys: 1, lines: 3 };

it('has a row for each director, and why one refuses the rules', () => {
  const directors = [
    director('d1'),
    director('d2', { rules: 'behind', announced: [] }),
    director('d3', {
      rules: 'refused',
      revision: 0,
      withdrawn: true,
      announced: [],
      why: 'etcd /ulvs/services/a:1: no',
    }),
  ];
  expect(viewText({ ...view, directors }, 1_012_000)).toMatchInlineSnapshot(`
    "rules in etcd: 3 lines in 1 keys, revision 5, digest 0123456789ab
    director  version  up    rules                announced         connections
    d1        0.1.0    12 s  equal                10.9.0.1/32       7
    d2        0.1.0    12 s  behind (revision 4)  nothing           7
    d3        0.1.0    12 s  refused (none)       nothing, drained  7
    d3: etcd /ulvs/services/a:1: no"
  `);
});

it('says that nobody is there', () => {
  expect(viewText({ ...view, directors: [] }, 0)).toContain('no director is there');
});
