/** Values by the key of a service: what is asked for again with the same object follows each change. */
import { expect, it } from 'vitest';
import { ServiceMap } from '../../../src/control/rules/service-map.js';

const key = () => ({ protocol: 6, address: '10.0.0.1', port: 80 });

it('finds a value by equal keys, and no longer when it was removed', () => {
  const map = new ServiceMap<string>();
  const one = key();
  expect(map.get(one)).toBeUndefined();
  map.set(key(), 'a');
  expect([map.get(one), map.get(one), map.get(key())]).toEqual(['a', 'a', 'a']);
  map.set(one, 'b');
  expect([map.get(one), map.size, [...map.values()]]).toEqual(['b', 1, ['b']]);
  map.delete(key());
  expect([map.get(one), map.size]).toEqual([undefined, 0]);
});
