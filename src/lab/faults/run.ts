/** `ulvs lab faults`: each fault is put into a lab, found by the doctor, mended by the doctor's own commands, and gone. */

import { PLAIN_KIND } from '../../device/kinds.js';
import type { Finding } from '../../doctor/facts.js';
import type { AskDirector } from '../../doctor/gather-site.js';
import { consult } from '../../doctor/syn.js';
import { down, type Lab, matching, up } from '../build/lab.js';
import type { LabState } from '../build/state.js';
import { deviceFor } from '../test.js';
import { findTopology } from '../topologies/index.js';
import type { Topology } from '../topology.js';
import { check, type Fault, shell } from './fault.js';
import { gatherLab } from './gather-lab.js';

export interface Trial {
  readonly fault: string;
  readonly topology: string;
  /** What the healthy lab was accused of. */
  readonly falseAlarms: readonly string[];
  /** The quick check with the fault in it, `-` where none can fail. */
  readonly broken: string;
  readonly felt: boolean;
  /** Ids of the findings. */
  readonly ids: readonly string[];
  readonly found: boolean;
  readonly mended: boolean;
  /** Why it is not found or not mended. */
  readonly trouble: string;
  readonly seconds: number;
}

type Ask = { readonly ask: AskDirector; readonly signal: AbortSignal };

/** A lab of its own; whatever fails is the trial's trouble, unless `signal` aborts. */
export async function tryFault(fault: Fault, { ask, signal }: Ask, topology = fault.topology): Promise<Trial> {
  const began = performance.now();
  const trial = {
    fault: fault.name,
    topology,
    falseAlarms: [],
    broken: '',
    felt: false,
    ids: [],
    found: false,
    mended: false,
    trouble: '',
  };
  let lab: Lab | undefined;
  try {
    lab = await up(findTopology(topology), { device: fault.device ?? PLAIN_KIND }, signal);
    return { ...trial, ...(await course(fault, lab, ask)), seconds: since(began) };
  } catch (error) {
    signal.throwIfAborted();
    return { ...trial, trouble: (error as Error).message, seconds: since(began) };
  } finally {
    if (lab) await down(asSaved(lab));
  }
}

/** `ulvs lab restart` is a process of its own: what it started is only in the saved state. */
function asSaved(lab: Lab): LabState {
  return matching(lab.id)[0] ?? lab;
}

async function course(
  fault: Fault,
  lab: Lab,
  ask: AskDirector,
): Promise<Omit<Trial, 'fault' | 'topology' | 'seconds'>> {
  const before = await check(fault, lab);
  const falseAlarms = idsOf(await diagnose(lab, ask));
  await fault.inject(lab);
  const broken = fault.silent ? { ok: false, figure: '-' } : await settled(fault, lab, false);
  const findings = await diagnose(lab, ask);
  for (const one of findings.flatMap(({ mend }) => mend)) await shell(one);
  const after = await settled(fault, lab, true);
  const left = idsOf(await diagnose(lab, ask));
  const ids = idsOf(findings);
  const found = ids.length === 1 && ids[0] === fault.expects;
  return {
    falseAlarms,
    broken: broken.figure,
    felt: !broken.ok,
    ids,
    found,
    mended: found && !broken.ok && after.ok && left.length === 0,
    trouble: trouble([
      [!before.ok, `the healthy lab fails: ${before.figure}`],
      [broken.ok, `the quick check does not feel it: ${broken.figure}`],
      [!found, `expected ${fault.expects}`],
      [!after.ok, `after mending: ${after.figure}`],
      [left.length > 0, `still found: ${left.join(', ')}`],
    ]),
  };
}

const TRIES = 3;

/** A route that goes or comes back takes the director a moment to hear of, a neighbour longer. */
async function settled(fault: Fault, lab: Lab, wanted: boolean): ReturnType<typeof check> {
  let result = await check(fault, lab);
  for (let n = 1; n < TRIES && result.ok !== wanted; n++) result = await check(fault, lab);
  return result;
}

function trouble(list: readonly (readonly [boolean, string])[]): string {
  return list.flatMap(([is, what]) => (is ? [what] : [])).join('; ');
}

async function diagnose(lab: Lab, ask: AskDirector): Promise<Finding[]> {
  return consult(await gatherLab(lab, ask));
}

function idsOf(findings: readonly Finding[]): string[] {
  return [...new Set(findings.map(({ id }) => id))];
}

function since(began: number): number {
  return Math.round((performance.now() - began) / 100) / 10;
}

export interface Health {
  readonly topology: string;
  readonly findings: readonly Finding[];
  readonly trouble: string;
}

/** What the doctor says of a lab that nobody broke. */
export async function tryHealthy(spec: Topology, { ask, signal }: Ask): Promise<Health> {
  let lab: Lab | undefined;
  try {
    lab = await up(spec, { device: deviceFor(spec, undefined) }, signal);
    return { topology: spec.name, findings: await diagnose(lab, ask), trouble: '' };
  } catch (error) {
    signal.throwIfAborted();
    return { topology: spec.name, findings: [], trouble: (error as Error).message };
  } finally {
    if (lab) await down(lab);
  }
}
