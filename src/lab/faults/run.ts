/**
 * `ulvs lab faults`: each fault is injected into a lab, found by the doctor and fixed by the
 * doctor's own commands. Then the lab is tested again.
 */

import { PLAIN_KIND } from '../../device/kinds.js';
import { diagnose } from '../../doctor/client-syn.js';
import type { Finding } from '../../doctor/facts.js';
import type { AskDirector } from '../../doctor/gather-machine.js';
import { down, findLabs, type Lab, up } from '../build/lab.js';
import type { LabState } from '../build/state.js';
import { deviceFor } from '../test.js';
import { findTopology } from '../topologies/index.js';
import type { Topology } from '../topology.js';
import { type Fault, runSmokeTest, shell } from './fault.js';
import { gatherLab } from './gather-lab.js';

/** The result of one fault in one topology. */
export interface Trial {
  readonly fault: string;
  readonly topology: string;
  /** The findings of the lab before the fault was injected: false alarms. */
  readonly falseAlarms: readonly string[];
  /** The figure of the smoke test with the fault, `-` if it has none. */
  readonly served: string;
  readonly failed: boolean;
  /** The ids of the findings. */
  readonly ids: readonly string[];
  readonly found: boolean;
  readonly fixed: boolean;
  /** Why the fault was not found or not fixed. */
  readonly trouble: string;
  readonly seconds: number;
}

type TrialOptions = { readonly ask: AskDirector; readonly signal: AbortSignal };

/**
 * Tries a fault in a lab of its own. Any failure is the trial's trouble, unless `signal` aborts.
 */
export async function tryFault(fault: Fault, { ask, signal }: TrialOptions, topology = fault.topology): Promise<Trial> {
  const began = performance.now();
  const trial = {
    fault: fault.name,
    topology,
    falseAlarms: [],
    served: '',
    failed: false,
    ids: [],
    found: false,
    fixed: false,
    trouble: '',
  };
  let lab: Lab | undefined;
  try {
    lab = await up(findTopology(topology), { device: fault.device ?? PLAIN_KIND }, signal);
    return { ...trial, ...(await runTrial(fault, lab, ask)), seconds: since(began) };
  } catch (error) {
    signal.throwIfAborted();
    return { ...trial, trouble: (error as Error).message, seconds: since(began) };
  } finally {
    if (lab) await down(savedState(lab));
  }
}

/** `ulvs lab restart` runs as a separate process: what it started is in the saved state only. */
function savedState(lab: Lab): LabState {
  return findLabs(lab.id)[0] ?? lab;
}

/** The course of a trial in a lab that is up. */
async function runTrial(
  fault: Fault,
  lab: Lab,
  ask: AskDirector,
): Promise<Omit<Trial, 'fault' | 'topology' | 'seconds'>> {
  const before = await runSmokeTest(fault, lab);
  const falseAlarms = idsOf(await diagnoseLab(lab, ask));
  await fault.inject(lab);
  const served = fault.untestable ? { ok: false, figure: '-' } : await smokeTestUntil(fault, lab, false);
  const findings = await diagnoseLab(lab, ask);
  for (const one of findings.flatMap(({ fix }) => fix)) await shell(one);
  const after = await smokeTestUntil(fault, lab, true);
  const left = idsOf(await diagnoseLab(lab, ask));
  const ids = idsOf(findings);
  const found = ids.length === 1 && ids[0] === fault.expects;
  return {
    falseAlarms,
    served: served.figure,
    failed: !served.ok,
    ids,
    found,
    fixed: found && !served.ok && after.ok && left.length === 0,
    trouble: trouble([
      [!before.ok, `the healthy lab fails: ${before.figure}`],
      [served.ok, `the smoke test passes in spite of it: ${served.figure}`],
      [!found, `expected ${fault.expects}`],
      [!after.ok, `after the fix: ${after.figure}`],
      [left.length > 0, `still found: ${left.join(', ')}`],
    ]),
  };
}

const TRIES = 3;

/**
 * Repeats the smoke test up to TRIES times until it yields `wanted`: the director takes a moment to
 * see a changed route, longer for a neighbour.
 */
async function smokeTestUntil(fault: Fault, lab: Lab, wanted: boolean): ReturnType<typeof runSmokeTest> {
  let result = await runSmokeTest(fault, lab);
  for (let n = 1; n < TRIES && result.ok !== wanted; n++) result = await runSmokeTest(fault, lab);
  return result;
}

function trouble(list: readonly (readonly [boolean, string])[]): string {
  return list.flatMap(([is, what]) => (is ? [what] : [])).join('; ');
}

async function diagnoseLab(lab: Lab, ask: AskDirector): Promise<Finding[]> {
  return diagnose(await gatherLab(lab, ask));
}

function idsOf(findings: readonly Finding[]): string[] {
  return [...new Set(findings.map(({ id }) => id))];
}

function since(began: number): number {
  return Math.round((performance.now() - began) / 100) / 10;
}

/** The doctor's findings in a lab without a fault. */
export interface Health {
  readonly topology: string;
  readonly findings: readonly Finding[];
  readonly trouble: string;
}

/** Runs the doctor on a lab without a fault. */
export async function tryHealthy(spec: Topology, { ask, signal }: TrialOptions): Promise<Health> {
  let lab: Lab | undefined;
  try {
    lab = await up(spec, { device: deviceFor(spec, undefined) }, signal);
    return { topology: spec.name, findings: await diagnoseLab(lab, ask), trouble: '' };
  } catch (error) {
    signal.throwIfAborted();
    return { topology: spec.name, findings: [], trouble: (error as Error).message };
  } finally {
    if (lab) await down(lab);
  }
}
