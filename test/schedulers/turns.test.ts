/** Tests the schedulers that take turns: rr and wrr. */
import { describe, expect, it } from 'vitest';
import { Stand } from './service.js';

/** Destinations are added in the order a, b, c …. The list starts with the newest. */
describe('rr', () => {
  it('starts with the newest and goes round, whatever the weights', () => {
    expect(new Stand('rr', [1, 5, 2]).turn(7)).toBe('cbacbac');
  });
  it('passes over the quiesced and the overloaded', () => {
    const stand = new Stand('rr', [1, 0, 2, 1]);
    stand.dest('c').overloaded = true;
    expect(stand.turn(4)).toBe('dada');
  });
  it('goes on after the last choice when one comes, goes, or is the last choice and goes', () => {
    const stand = new Stand('rr', [1, 1, 1, 1]);
    expect(stand.turn(2)).toBe('dc');
    stand.add('e', 1);
    expect(stand.turn(1)).toBe('b');
    stand.remove('b');
    expect(stand.turn(2)).toBe('ae');
    stand.remove('d');
    expect(stand.turn(1)).toBe('c');
  });
  it('begins anew after another scheduler', () => {
    const stand = new Stand('rr', [1, 1, 1]);
    expect(stand.turn(1)).toBe('c');
    stand.change('wlc');
    stand.change('rr');
    expect(stand.turn(1)).toBe('c');
  });
  it('finds nobody in an empty list and goes on where it was when somebody can again', () => {
    expect(new Stand('rr').turn(1)).toBe('-');
    const stand = new Stand('rr', [1, 1]);
    expect(stand.turn(1)).toBe('b');
    for (const name of 'ab') stand.edit(name, 0);
    expect(stand.turn(2)).toBe('--');
    for (const name of 'ab') stand.edit(name, 1);
    expect(stand.turn(2)).toBe('ab');
  });
});

describe('wrr', () => {
  it('gives each its weight in a round, the heavy ones first', () => {
    const stand = new Stand('wrr', [4, 3, 2]);
    stand.change('wrr');
    expect(stand.turn(18)).toBe('abacbacba'.repeat(2));
  });
  it('steps by the greatest common divisor', () => {
    const stand = new Stand('wrr', [20, 10]);
    stand.change('wrr');
    expect(stand.turn(6)).toBe('abaaba');
  });
  it('keeps its limit where it fits after a change, and begins at the head', () => {
    const stand = new Stand('wrr', [4, 3, 2]);
    stand.change('wrr');
    expect(stand.turn(3)).toBe('aba');
    stand.edit('c', 3);
    expect(stand.turn(4)).toBe('cbac');
  });
  it('starts with the limit of the first destination: later ones of more weight wait a turn', () => {
    expect(new Stand('wrr', [1, 3]).turn(6)).toBe('babbba');
  });
  it('does not walk two thousand million turns to the only one that can', () => {
    const stand = new Stand('wrr', [1, 2_147_483_647, 3]);
    stand.dest('b').overloaded = true;
    stand.change('wrr');
    expect(stand.turn(8)).toBe('cccaccca');
  });
  it('finds nobody when all are overloaded, and in the last turn stays where it was', () => {
    const stand = new Stand('wrr', [1, 1, 1]);
    stand.change('wrr');
    expect(stand.turn(1)).toBe('c');
    for (const name of 'abc') stand.dest(name).overloaded = true;
    expect(stand.turn(2)).toBe('--');
    for (const name of 'abc') stand.dest(name).overloaded = false;
    expect(stand.turn(3)).toBe('bac');
  });
  it('finds nobody among the quiesced', () => {
    expect(new Stand('wrr', [0, 0]).turn(2)).toBe('--');
  });
});
