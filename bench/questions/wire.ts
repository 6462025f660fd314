/**
 * How fast is ulvs on a wire? The same flood of 65,536 known flows goes through ulvs with each kind
 * of device, through the kernel's forwarding and NAT, and through DPDK's testpmd on the same
 * sockets. The contenders run in turns, so that other load hits all of them alike.
 *
 * CPU per packet is the time of all CPUs, the interrupts' included, for each packet that arrived:
 * the flood and its sink are in it, for all contenders alike. A contender on the flood's CPU shares
 * it with the flood; one with a thread of its own has another CPU. The frames that an XDP program
 * redirects arrive as skbs, as other frames do, but for the rows with an XDP sink: there nothing is
 * made of them, as on the wire of a NIC.
 *
 *     node build/bench/questions/wire.js [--quick] [--rounds 5] [--half 3] [--ms 2000]
 *                                        [--long 60] [--only 'TEXT|TEXT…'] [--add]
 *
 * `--add` keeps the former results of what is not measured now.
 */
import { parseArgs } from 'node:util';
import { cpuPerFrame, type FloodRun, loss, outRate } from '../../src/lab/flood/flood.js';
import type { MethodName } from '../../src/lab/flood/testbed.js';
import { median } from '../../src/lab/median.js';
import { interruption } from '../support/interruption.js';
import { orQuick, WORDS } from '../support/options.js';
import { formerRows, merged, type Row, report } from '../support/result.js';
import { Skips } from '../support/skips.js';
import type { Contender } from '../support/wire/contender.js';
import { dnat, dnatOut, forwarding, forwardingOut, ipvs, numgen, steered } from '../support/wire/kernel.js';
import { redirect } from '../support/wire/redirect.js';
import { type Load, round } from '../support/wire/round.js';
import { preferSoftirqs } from '../support/wire/softirq.js';
import { testpmd } from '../support/wire/testpmd.js';
import { ulvs, type Variant } from '../support/wire/ulvs.js';

const { values: options } = parseArgs({
  args: [...WORDS],
  options: {
    rounds: { type: 'string', default: orQuick('5', '1') },
    half: { type: 'string', default: orQuick('3', '1') },
    ms: { type: 'string', default: orQuick('2000', '500') },
    long: { type: 'string', default: orQuick('60', '2') },
    only: { type: 'string', default: '' },
    add: { type: 'boolean', default: false },
  },
});
const FLOWS = { clients: 1024, ports: 64 };
const LOAD: Load = { ...FLOWS, ms: Number(options.ms) };
const ROUNDS = Number(options.rounds);
/**
 * Shares of a contender's throughput: at HIGH no packet may be lost, at HALF a packet should hardly
 * wait.
 */
const HIGH = 0.8;
const HALF = 0.5;
/** Rounds at HALF; 0: delays are not measured. */
const HALF_ROUNDS = Number(options.half);
/** Largest loss in per cent. */
const TOLERATED = 0.1;

const ours = (device: 'xdp' | 'packet' | 'tap', method: MethodName, variant: Variant = {}) =>
  ulvs(device, method, FLOWS.clients * FLOWS.ports, variant);
const [xdpNat, xdpDr, tapNat] = [ours('xdp', 'nat'), ours('xdp', 'dr'), ours('tap', 'nat')];
const xdpTun = ours('xdp', 'tun');
const natOut = ours('xdp', 'nat', { replies: true });
const offloaded = {
  nat: ours('xdp', 'nat', { offload: true }),
  dr: ours('xdp', 'dr', { offload: true }),
  tun: ours('xdp', 'tun', { offload: true }),
  out: ours('xdp', 'nat', { offload: true, replies: true }),
  natXdp: ours('xdp', 'nat', { offload: true, xdpSink: true }),
  drXdp: ours('xdp', 'dr', { offload: true, xdpSink: true }),
  outXdp: ours('xdp', 'nat', { offload: true, replies: true, xdpSink: true }),
};
const [bare, bareXdp] = [redirect(), redirect({ xdpSink: true })];
const [bareOut, bareOutXdp] = [redirect({ replies: true }), redirect({ replies: true, xdpSink: true })];
const [afXdp, afXdpOut] = [testpmd('net_af_xdp'), testpmd('net_af_xdp', { replies: true })];
const [ipvsNat, ipvsOut] = [ipvs(), ipvs({ out: true })];
const packetNat = ours('packet', 'nat');
const contenders = [
  ...[xdpNat, xdpDr, packetNat, ours('packet', 'dr'), tapNat, ours('tap', 'dr')],
  ...[natOut, xdpTun, ...Object.values(offloaded), bare, bareXdp, bareOut, bareOutXdp],
  ...[forwarding, forwardingOut, dnat, dnatOut, steered, numgen, ipvsNat, ipvsOut],
  ...[afXdp, afXdpOut, testpmd('net_af_packet')],
].filter(({ name }) => options.only.split('|').some((text) => name.includes(text)));

const signal = interruption();
const skips = new Skips();

type Found = Map<Contender, FloodRun[]>;

/** The contenders that have not failed so far. */
const able = () => contenders.filter(({ name }) => !skips.has(name));

/** Runs all contenders in turns, `count` rounds. */
async function rounds(what: string, count: number, rateOf: (contender: Contender) => number): Promise<Found> {
  const found: Found = new Map(contenders.map((contender) => [contender, []]));
  for (let i = 1; i <= count; i++)
    for (const contender of able()) {
      const result = await attempt(contender, rateOf(contender), LOAD);
      if (result === undefined) continue;
      found.get(contender)!.push(result);
      const { p50, p99 } = result.delays;
      const delays = `p50 ${p50.toFixed(1)} µs, p99 ${p99.toFixed(1)} µs`;
      const rate = `${kpps(result).toFixed(0)} kpps, CPU ${cpuPerFrame(result).toFixed(0)} ns a packet`;
      console.error(`${what} ${i}/${count} ${contender.name}: ${rate}, ${delays}`);
    }
  return found;
}

/**
 * A round may fail because the machine is busy, so it is tried twice. After a second failure the
 * contender is skipped in all further rounds and in the rows.
 */
async function attempt(contender: Contender, rate: number, load: Load): Promise<FloodRun | undefined> {
  for (const last of [false, true])
    try {
      return await round(contender, rate, load, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (last) skips.add(contender.name, error);
      else console.error(`${contender.name}: ${(error as Error).message}; trying once more`);
    }
  return undefined;
}

const kpps = (result: FloodRun) => outRate(result) / 1000;
const throughput = (found: Found, contender: Contender) => median((found.get(contender) ?? []).map(kpps));
const cpuOf = (found: Found, contender: Contender) => median((found.get(contender) ?? []).map(cpuPerFrame));
const has = (found: Found, contender: Contender) => found.has(contender) && !skips.has(contender.name);

/** Pairs that are compared: the first contender is the figure, the second its reference. */
const TARGETS: readonly [string, Contender, Contender][] = [
  ['xdp NAT : nft DNAT, conntrack', xdpNat, dnat],
  ['xdp NAT : nft DNAT, conntrack, RPS', xdpNat, steered],
  ['xdp NAT : tap NAT', xdpNat, tapNat],
  ['xdp NAT : xdp DR', xdpNat, xdpDr],
  ['xdp NAT : testpmd, net_af_xdp', xdpNat, afXdp],
  ['xdp DR : testpmd, net_af_xdp', xdpDr, afXdp],
  ['offload NAT : xdp NAT', offloaded.nat, xdpNat],
  ['packet NAT : kernel, IPVS NAT', packetNat, ipvsNat],
  ['xdp NAT : kernel, IPVS NAT', xdpNat, ipvsNat],
  ['offload NAT : kernel, IPVS NAT', offloaded.nat, ipvsNat],
  ['xdp NAT out : kernel, IPVS NAT out', natOut, ipvsOut],
  ['offload NAT out : kernel, IPVS NAT out', offloaded.out, ipvsOut],
  ['offload DR : xdp DR', offloaded.dr, xdpDr],
  ['offload Tun : xdp Tun', offloaded.tun, xdpTun],
  ['offload NAT out : xdp NAT out', offloaded.out, natOut],
  ['offload NAT : kernel, forwarding', offloaded.nat, forwarding],
  ['offload DR : kernel, forwarding', offloaded.dr, forwarding],
  ['offload Tun : kernel, forwarding', offloaded.tun, forwarding],
  ['offload NAT out : kernel, forwarding out', offloaded.out, forwardingOut],
  ['offload NAT out : kernel, nft DNAT out, conntrack', offloaded.out, dnatOut],
  ['offload NAT : testpmd, net_af_xdp', offloaded.nat, afXdp],
  ['offload DR : testpmd, net_af_xdp', offloaded.dr, afXdp],
  ['offload Tun : testpmd, net_af_xdp', offloaded.tun, afXdp],
  ['offload NAT out : testpmd, net_af_xdp, out', offloaded.out, afXdpOut],
  ['offload NAT : bare redirect', offloaded.nat, bare],
  ['offload NAT out : bare redirect out', offloaded.out, bareOut],
  ['offload NAT out, XDP sink : bare redirect out, XDP sink', offloaded.outXdp, bareOutXdp],
  ['offload NAT, XDP sink : xdp NAT', offloaded.natXdp, xdpNat],
  ['offload DR, XDP sink : xdp DR', offloaded.drXdp, xdpDr],
  ['offload NAT out, XDP sink : xdp NAT out', offloaded.outXdp, natOut],
  ['offload NAT, XDP sink : bare redirect, XDP sink', offloaded.natXdp, bareXdp],
];

/** A row with the figures of `one` against those of `reference`. */
function rowOf(found: Found, name: string, one: Contender, reference: Contender): Row {
  const isThere = has(found, reference);
  const cpu = { value: cpuOf(found, one), reference: isThere ? cpuOf(found, reference) : undefined };
  return {
    case: name,
    value: throughput(found, one),
    unit: 'kpps',
    reference: isThere ? throughput(found, reference) : undefined,
    cpu,
  };
}

function ratesOf(found: Found): Row[] {
  const targets = TARGETS.filter(([, a, b]) => has(found, a) && has(found, b));
  return [
    ...able().map((one) => rowOf(found, one.name, one, dnat)),
    ...targets.map(([name, a, b]) => rowOf(found, name, a, b)),
  ];
}

/**
 * Delays of all contenders. The wire, the flood and the realserver are the same for all, so a
 * longer delay than the kernel's comes from the contender.
 */
function delaysOf(found: Found): Row[] {
  return (['p50', 'p99'] as const).flatMap((name) => {
    const delay = (contender: Contender) => median(found.get(contender)!.map(({ delays }) => delays[name]));
    const reference = has(found, forwarding) ? delay(forwarding) : undefined;
    return able().map((one) => ({
      case: `${name} at half load: ${one.name}`,
      value: delay(one),
      unit: 'µs',
      reference,
    }));
  });
}

/** Loss in per cent at a high rate over a long time. `--long 0`: it is not measured. */
async function endurance(found: Found): Promise<Row[]> {
  const rows: Row[] = [];
  if (Number(options.long) === 0) return rows;
  for (const one of [xdpNat, xdpDr].filter((each) => has(found, each))) {
    const rate = Math.round(HIGH * 1000 * throughput(found, one));
    const result = await attempt(one, rate, { ...LOAD, ms: Number(options.long) * 1000 });
    if (result === undefined) continue;
    const name = `lost of ${Math.round(rate / 1000)} kpps in ${options.long} s: ${one.name}`;
    rows.push({ case: name, value: 100 * loss(result), unit: '%', reference: TOLERATED });
  }
  return rows;
}

const restore = first();
try {
  const fastest = await rounds('all that can be made', ROUNDS, () => 0);
  const half = await rounds('half load', HALF_ROUNDS, (one) => Math.round(HALF * 1000 * throughput(fastest, one)));
  // This runs before the rows are made, because it may skip one more contender.
  const lost = await endurance(fastest);
  const rows = [...ratesOf(fastest), ...(HALF_ROUNDS > 0 ? delaysOf(half) : []), ...lost];
  report({
    name: 'wire',
    title: 'A flood of 65,536 flows through two wires',
    against: 'reference',
    rows: options.add ? merged(formerRows('wire'), rows) : rows,
    skipped: skips.all,
  });
} finally {
  restore();
}

/**
 * Raises the priority of ksoftirqd. Returns a function that restores it. In a container the
 * kernel's threads may be invisible; the kernel as a contender is then at a disadvantage.
 */
function first(): () => void {
  try {
    return preferSoftirqs();
  } catch (error) {
    skips.add('priority for ksoftirqd', error);
    return () => {};
  }
}
