/** The key `sysctl` of director.yaml: values by the names of /proc/sys/net/ipv4/vs. */
import {
  defaultSysctls,
  isSysctlName,
  SYSCTL_NAMES,
  type Sysctls,
  syncThresholdFault,
  sysctlFault,
} from '../../service/sysctl.js';
import { didYouMean } from '../text/did-you-mean.js';
import { attempt, type Context } from './builders.js';
import { notA, shown, Wrong } from './scalars.js';

/** All sysctls: those of the mapping as given, the others with their defaults. */
export function sysctls(raw: unknown, context: Context): Sysctls {
  return attempt(() => readAll(mappingOf(raw), context), context, []);
}

function mappingOf(raw: unknown): object {
  if (typeof raw === 'object' && raw !== null && !Array.isArray(raw)) return raw;
  throw notA(raw, 'a mapping such as { conn_reuse_mode: 1 }');
}

/** Each mistake is an issue of its own, so that one run reports all of them. */
function readAll(given: object, context: Context): Sysctls {
  const all = defaultSysctls();
  for (const [name, number] of Object.entries(given))
    attempt(() => Object.assign(all, sysctl(name, number)), context, [name]);
  return all;
}

/**
 * `sync_threshold` is written as the kernel does: `3 50`, or a list of two. One number keeps the
 * period.
 */
function sysctl(name: string, raw: unknown): Partial<Sysctls> {
  if (!isSysctlName(name)) throw new Wrong(`no such sysctl${didYouMean(name, SYSCTL_NAMES)}`);
  if (name === 'sync_threshold' && typeof raw !== 'number') return syncThreshold(raw);
  const fault = typeof raw === 'number' ? sysctlFault(name, raw) : 'is not a number';
  if (fault !== undefined) throw new Wrong(`${shown(raw)} ${fault}`);
  return { [name]: raw };
}

function syncThreshold(raw: unknown): Partial<Sysctls> {
  const two = typeof raw === 'string' ? raw.trim().split(/\s+/).map(Number) : raw;
  const right =
    Array.isArray(two) && two.length === 2 && two.every((n) => Number.isInteger(n) && n >= 0 && n < 2 ** 31);
  if (!right) throw notA(raw, 'two numbers such as "3 50"');
  const [sync_threshold, sync_period] = two as [number, number];
  const fault = syncThresholdFault({ sync_threshold, sync_period });
  if (fault !== undefined) throw new Wrong(`${shown(raw)}: ${fault}`);
  return { sync_threshold, sync_period };
}
