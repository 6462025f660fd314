/** The checks of `lab test` fail in a lab with something wrong in it. Needs root. */
import { existsSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { DIRECTOR, down, type Lab, up } from '../../../src/lab/build/lab.js';
import { runChecks } from '../../../src/lab/checks/checks.js';
import { type Outcome, Run } from '../../../src/lab/checks/run.js';
import { program } from '../../../src/lab/names.js';
import { findTopology } from '../../../src/lab/topologies/index.js';
import { ulvsadm } from '../../../src/lab/watch/listing.js';

const reason =
  process.getuid?.() !== 0
    ? 'needs root for namespaces'
    : existsSync(program('cli/main.js'))
      ? ''
      : 'needs dist (make build)';
if (reason) console.log(`skipped: ${reason}`);

const SMALL = { requests: 30, bytes: 100_000, clients: 6, flows: 6 };
let lab: Lab | undefined;

afterEach(async () => {
  if (lab) await down(lab);
  lab = undefined;
});

async function failures(running: Lab): Promise<string[]> {
  const outcomes: Outcome[] = [];
  await runChecks(new Run(running, SMALL, () => {}), (outcome) => outcomes.push(outcome));
  expect(outcomes.length).toBeGreaterThan(8);
  return outcomes.filter(({ ok }) => !ok).map(({ name }) => name);
}

describe.skipIf(reason !== '')('the checks', () => {
  it('pass in a healthy lab', { timeout: 60_000 }, async () => {
    lab = await up(findTopology('nat'), { device: 'packet' });
    expect(await failures(lab)).toEqual([]);
  });

  it('find a realserver that gets no requests', { timeout: 60_000 }, async () => {
    lab = await up(findTopology('nat'), { device: 'packet' });
    await ulvsadm(lab.id, '-e', '-t', '10.0.0.100:80', '-r', '192.168.1.13:8080', '-m', '-w', '0');
    expect(await failures(lab)).toEqual([
      'rr spread',
      '6 simultaneous clients, rr spread',
      'table and realservers agree: TCP 10.0.0.100:80',
      'table counts replies',
    ]);
  });

  it('find packets of the wrong form and say what is wrong', { timeout: 60_000 }, async () => {
    lab = await up(findTopology('dr'), { device: 'packet' });
    const mac = '02:00:00:00:99:99';
    const hosts = lab.spec.hosts.map((host) =>
      host.role === 'director' ? { ...host, ports: host.ports.map((port) => ({ ...port, mac })) } : host,
    );
    const outcomes: Outcome[] = [];
    const run = new Run({ ...lab, spec: { ...lab.spec, hosts } }, SMALL, () => {});
    await runChecks(run, (outcome) => outcomes.push(outcome));
    const wrong = outcomes.filter(({ ok }) => !ok);
    expect(wrong.map(({ name }) => name)).toEqual(["on rs1: CIP->VIP, director's MAC to realserver's MAC"]);
    expect(wrong[0]!.figure).toMatch(/^0 of \d+ packets: source MAC 02:00:00:00:0d:00, not 02:00:00:00:99:99$/);
  });

  it('that throw count as failures, and the others still run', { timeout: 60_000 }, async () => {
    lab = await up(findTopology('nat'), { device: 'packet' });
    const director = lab.processes.filter(({ what }) => what === DIRECTOR);
    const outcomes: Outcome[] = [];
    // The director ends after the UDP check: the traffic was right, but the table cannot be read.
    const report = (outcome: Outcome) => {
      outcomes.push(outcome);
      if (outcome.name.startsWith('UDP flows')) for (const { pid } of director) process.kill(pid, 'SIGKILL');
    };
    await runChecks(new Run(lab, SMALL, () => {}), report);
    expect(outcomes.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(['tableChecks failed to run']);
  });
});
