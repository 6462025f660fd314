/** The checks of `lab test` that all labs share, in this order. */

import { endpoint } from '../../service/config.js';
import { sha256OfBytes } from '../load/bytes.js';
import { spread } from '../load/client.js';
import type { Answer, Result } from '../load/job.js';
import { addressOf, addressOfEndpoint, balanced, hostOf, realservers, type Topology } from '../topology.js';
import { answered, type Check, echoTargets, httpTargets, type Outcome, type Run } from './run.js';
import { tableChecks } from './table.js';
import { watchReplies, watchWire, watchWires } from './wire.js';

/**
 * Bytes of a captured download: enough for full TCP segments, and for GSO packets from the
 * realserver.
 */
const CAPTURED_BYTES = 200_000;

/** HTTP requests, with captures at the realserver (and the client) meanwhile. */
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
      name:
        spec.method === 'fullnat' ? 'realservers see an address of the pool' : "realservers see the client's address",
      ...clientSeen(result, spec),
    },
    ...(await wire.outcomes(big.every(({ errors }) => errors.length === 0))),
  ];
};

/** Whether rr spread the requests evenly. Each of several workers takes turns by itself. */
function evenly(result: Result, spec: Topology): Omit<Outcome, 'name'> {
  const share = result.answers.length / balanced(spec).length;
  const counts = balanced(spec).map(({ name }) => spread(result).get(name) ?? 0);
  const ok = counts.every((count) => Math.abs(count - share) < (spec.workers ?? 1));
  return { ok: ok && share > 0, figure: counts.join('/') };
}

/** Whether the realservers saw the client's address; with full NAT an address of the pool. */
function clientSeen({ answers }: Result, spec: Topology): Omit<Outcome, 'name'> {
  const cip = addressOf(hostOf(spec, 'client'));
  const { sources = [] } = spec;
  const right = ({ seen, localPort }: Answer) =>
    spec.method === 'fullnat' ? sources.includes(addressOfEndpoint(seen)) : seen === endpoint(cip, localPort);
  const wrong = answers.filter((answer) => !right(answer));
  const first = wrong[0] ? `, but ${wrong[0].name} saw ${wrong[0].seen}` : '';
  return {
    ok: answers.length > 0 && wrong.length === 0,
    figure: `${answers.length - wrong.length} of ${answers.length} saw ${spec.method === 'fullnat' ? sources.join(', ') : cip}${first}`,
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

const simultaneous: Check = async (run) => {
  const { clients } = run.sizes;
  const result = await run.load({ kind: 'simultaneous', targets: httpTargets(run.lab.spec), count: clients });
  return [
    { name: `${clients} simultaneous clients answered`, ...answered(result, clients) },
    { name: `${clients} simultaneous clients, rr spread`, ...evenly(result, run.lab.spec) },
  ];
};

const echo: Check = async (run) => {
  const { flows } = run.sizes;
  const result = await run.load({ kind: 'echo', targets: echoTargets(run.lab.spec), count: flows, datagrams: 2 });
  return [
    { name: 'UDP echoes answered', ...answered(result, flows * 2) },
    { name: 'UDP flows stay with their realserver', ...stayWithServer(result) },
  ];
};

function stayWithServer({ answers }: Result): Omit<Outcome, 'name'> {
  const byFlow = new Map<string, Set<string>>();
  for (const { localPort, target, name } of answers) {
    const flow = `${localPort} ${target}`;
    byFlow.set(flow, (byFlow.get(flow) ?? new Set()).add(name));
  }
  const torn = [...byFlow.values()].filter((names) => names.size > 1).length;
  return { ok: byFlow.size > 0 && torn === 0, figure: `${byFlow.size - torn} of ${byFlow.size}` };
}

/** A check that throws counts as failed; the others still run. */
async function outcomesOf(check: Check, run: Run): Promise<Outcome[]> {
  try {
    return await check(run);
  } catch (error) {
    return [{ name: `${check.name} failed to run`, ok: false, figure: (error as Error).message }];
  }
}

/**
 * Runs all checks. Around them, the wires are watched: in DR and Tun no reply may pass the
 * director, and a topology may watch wires of its own.
 */
export async function runChecks(run: Run, report: (outcome: Outcome) => void, signal?: AbortSignal): Promise<void> {
  const replies = await watchReplies(run.lab);
  const wires = await watchWires(run.lab);
  const own = (run.lab.spec.checks ?? []) as readonly Check[];
  for (const check of [requests, download, simultaneous, echo, replies, tableChecks, ...own, wires]) {
    const outcomes = await outcomesOf(check, run);
    signal?.throwIfAborted();
    for (const outcome of outcomes) report(outcome);
  }
}
