/** What `lab test` asks of a lab, in this order. */

import { endpoint } from '../../service/config.js';
import { sha256OfBytes } from '../load/bytes.js';
import { spread } from '../load/client.js';
import type { Answer, Result } from '../load/job.js';
import { addressIn, addressOf, balanced, hostOf, realservers, type Topology } from '../topology.js';
import { answered, type Check, echoTargets, httpTargets, type Outcome, type Run } from './run.js';
import { tableChecks } from './table.js';
import { watchReplies, watchWire, watchWires } from './wire.js';

/** Enough that TCP sends full segments, and a realserver's kernel super-packets. */
const CAPTURED_BYTES = 200_000;

/** The requests, with captures at the realserver (and the client) meanwhile. */
const requests: Check = async (run) => {
  const { spec } = run.lab;
  const wire = await watchWire(run.lab);
  const targets = httpTargets(spec);
  const result = await run.load({ kind: 'requests', targets, count: run.sizes.requests, concurrency: 8 });
  const big = [];
  for (const _ of realservers(spec))
    big.push(await run.load({ kind: 'download', target: targets[0]!, bytes: CAPTURED_BYTES }));
  return [
    { name: 'HTTP requests answered', ...answered(result, run.sizes.requests) },
    { name: 'rr spread', ...evenly(result, spec) },
    {
      name: spec.method === 'fullnat' ? 'realservers see the pool' : "realservers see the client's address",
      ...clientSeen(result, spec),
    },
    ...(await wire.outcomes(big.every(({ errors }) => errors.length === 0))),
  ];
};

/** Exactly even, or as even as the count allows; of several workers each takes turns for itself. */
function evenly(result: Result, spec: Topology): Omit<Outcome, 'name'> {
  const share = result.answers.length / balanced(spec).length;
  const counts = balanced(spec).map(({ name }) => spread(result).get(name) ?? 0);
  const ok = counts.every((count) => Math.abs(count - share) < (spec.workers ?? 1));
  return { ok: ok && share > 0, figure: counts.join('/') };
}

/** Full NAT hides the client behind an address of the pool. */
function clientSeen({ answers }: Result, spec: Topology): Omit<Outcome, 'name'> {
  const cip = addressOf(hostOf(spec, 'client'));
  const { sources = [] } = spec;
  const right = ({ seen, localPort }: Answer) =>
    spec.method === 'fullnat' ? sources.includes(addressIn(seen)) : seen === endpoint(cip, localPort);
  const wrong = answers.filter((answer) => !right(answer));
  const first = wrong[0] ? `, but ${wrong[0].name} saw ${wrong[0].seen}` : '';
  return {
    ok: answers.length > 0 && wrong.length === 0,
    figure: `${answers.length - wrong.length} times ${spec.method === 'fullnat' ? sources.join(', ') : cip}${first}`,
  };
}

const download: Check = async (run) => {
  const { bytes } = run.sizes;
  const result = await run.load({ kind: 'download', target: httpTargets(run.lab.spec)[0]!, bytes });
  const ok = result.sha256 === sha256OfBytes(bytes) && result.errors.length === 0;
  const rate = ((bytes * 8) / result.ms / 1000).toFixed(0);
  const figure = ok
    ? `SHA-256 ${result.sha256!.slice(0, 16)}… identical, ${rate} Mbit/s`
    : `${result.bytes} bytes, SHA-256 differs${result.errors[0] ? `: ${result.errors[0]}` : ''}`;
  return [{ name: `download of ${bytes / 1e6} MB`, ok, figure }];
};

const together: Check = async (run) => {
  const { clients } = run.sizes;
  const result = await run.load({ kind: 'together', targets: httpTargets(run.lab.spec), count: clients });
  return [
    { name: `${clients} clients at once answered`, ...answered(result, clients) },
    { name: `${clients} clients at once, spread`, ...evenly(result, run.lab.spec) },
  ];
};

const echo: Check = async (run) => {
  const { flows } = run.sizes;
  const result = await run.load({ kind: 'echo', targets: echoTargets(run.lab.spec), count: flows, each: 2 });
  return [
    { name: 'UDP echoes', ...answered(result, flows * 2) },
    { name: 'UDP flows stay with their realserver', ...steady(result) },
  ];
};

function steady({ answers }: Result): Omit<Outcome, 'name'> {
  const byFlow = new Map<string, Set<string>>();
  for (const { localPort, target, name } of answers) {
    const flow = `${localPort} ${target}`;
    byFlow.set(flow, (byFlow.get(flow) ?? new Set()).add(name));
  }
  const torn = [...byFlow.values()].filter((names) => names.size > 1).length;
  return { ok: byFlow.size > 0 && torn === 0, figure: `${byFlow.size - torn} of ${byFlow.size}` };
}

/** A check that breaks off (a tool fails) is a failed one; the others still run. */
async function outcomesOf(check: Check, run: Run): Promise<Outcome[]> {
  try {
    return await check(run);
  } catch (error) {
    return [{ name: `${check.name} breaks off`, ok: false, figure: (error as Error).message }];
  }
}

/** Around everything else: in DR and Tun no reply may pass the director, and what the topology itself has watched. */
export async function runChecks(run: Run, report: (outcome: Outcome) => void, signal?: AbortSignal): Promise<void> {
  const replies = await watchReplies(run.lab);
  const wires = await watchWires(run.lab);
  const own = (run.lab.spec.checks ?? []) as readonly Check[];
  for (const check of [requests, download, together, echo, replies, tableChecks, ...own, wires]) {
    const outcomes = await outcomesOf(check, run);
    signal?.throwIfAborted();
    for (const outcome of outcomes) report(outcome);
  }
}
