/**
 * The smoke test of a lab: a few requests, each with a header longer than a packet. Every
 * realserver must answer.
 */

import { endpoint } from '../../service/config.js';
import { inNamespace } from '../../sys/command.js';
import type { Lab } from '../build/lab.js';
import { namespaceOf } from '../names.js';
import { balanced } from '../topology.js';

export interface SmokeResult {
  readonly ok: boolean;
  readonly figure: string;
}

const ROUNDS = 2;
const PATIENCE_S = 2;
/** 1.5 times the MTU. */
const LONG = 'x'.repeat(2200);

/** Makes requests; returns the realserver that answered each, '' for those that failed. */
export async function requests(lab: Lab, count: number): Promise<string[]> {
  const { vips, httpPort } = lab.spec;
  const words = `curl -g -s -m ${PATIENCE_S} -H 'X-Long: ${LONG}' http://${endpoint(vips[0]!, httpPort)}/ || echo`;
  const script = `for i in $(seq ${count}); do ( ${words} ) & done; wait`;
  const { stdout } = await inNamespace(namespaceOf(lab.id, 'client'), 'sh', '-c', script);
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' ')[0]!);
  return [...lines, ...Array<string>(Math.max(0, count - lines.length)).fill('')];
}

/**
 * Whether each realserver answers its share. `ask` makes `count` requests and returns who answered.
 */
export async function checkTurns({ spec }: Lab, ask: (count: number) => Promise<string[]>): Promise<SmokeResult> {
  const names = balanced(spec).map(({ name }) => name);
  const count = ROUNDS * names.length;
  const answers = await ask(count);
  const shares = names.map((name) => answers.filter((answer) => answer === name).length);
  return { ok: shares.every((share) => share === ROUNDS), figure: `${shares.join('/')} of ${count}` };
}

export function smokeTest(lab: Lab): Promise<SmokeResult> {
  return checkTurns(lab, (count) => requests(lab, count));
}
