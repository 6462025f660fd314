/** perf_event_open(2): the clock of a CPU as an event. */
import { pinned } from './bpf-call.js';
import { check, libc } from './libc.js';

const open = libc.func('long syscall(long, void*, int, int, int, ulong)') as (
  number: number,
  attributes: Uint8Array,
  pid: number,
  cpu: number,
  group: number,
  flags: number,
) => number;
const PERF_EVENT_OPEN = process.arch === 'arm64' ? 241 : 298;
/** Offsets in struct perf_event_attr, and its size (PERF_ATTR_SIZE_VER5). */
const [TYPE, SIZE, CONFIG, SAMPLE_PERIOD, BYTES] = [0, 4, 8, 16, 112];
const TYPE_SOFTWARE = 1;
const COUNT_SW_CPU_CLOCK = 0n;
const FD_CLOEXEC = 8;

/**
 * A timer interrupts `cpu` every `period` ns, idle or not, until the returned descriptor is closed.
 * Throws a SystemError: it needs CAP_PERFMON.
 */
export function interruptEvery(period: number, cpu: number): number {
  const attributes = pinned(new Uint8Array(BYTES));
  const view = new DataView(attributes.buffer);
  view.setUint32(TYPE, TYPE_SOFTWARE, true);
  view.setUint32(SIZE, BYTES, true);
  view.setBigUint64(CONFIG, COUNT_SW_CPU_CLOCK, true);
  view.setBigUint64(SAMPLE_PERIOD, BigInt(period), true);
  return check(open(PERF_EVENT_OPEN, attributes, -1, cpu, -1, FD_CLOEXEC), 'perf_event_open');
}
