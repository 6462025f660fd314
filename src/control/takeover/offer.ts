/**
 * What a running director offers to its successor, as JSON over the control socket. Descriptors are
 * numbers of the old process; the successor takes duplicates of them (sys/pidfd.ts).
 *
 *     old                                     new (ulvs run --takeover)
 *     forwards  ◄──────── offer ───────────── reads its configuration
 *     rules are frozen ── devices, frames ──► takes descriptors, maps rings, starts threads
 *     ends its turn ◄──── go ──────────────── is ready
 *     ──────── where its rings are read ────► rebuilds the table's index, forwards
 *     ends      ◄──────── done ────────────── has forwarded
 *
 * The state (control/state) has connections, counters and rules: both map the same files.
 */
import { canChangeProcess } from '../../device/handle.js';
import type { DeviceKind } from '../../device/kinds.js';
import type { Config } from '../config/config.js';
import type { Transfer } from '../engine/device-set.js';
import { VERSION } from '../state/layout.js';

/** Version of the messages and of the handles in them. */
const PROTOCOL = 2;

/** The offer. */
export interface Offer {
  readonly protocol: number;
  /** Version of the state's layout. */
  readonly layout: number;
  readonly pid: number;
  readonly devices: readonly { readonly name: string; readonly kind: DeviceKind }[];
  readonly workers: number;
  readonly connections: number;
  readonly handed: Transfer;
}

/** The offer of a director. */
export function offerOf(config: Config, devices: Offer['devices'], handed: Transfer): Offer {
  const { workers, connections } = config;
  const names = devices.map(({ name, kind }) => ({ name, kind }));
  const base = { protocol: PROTOCOL, layout: VERSION, pid: process.pid, devices: names };
  return { ...base, workers, connections: connections.max, handed };
}

/** Why a director cannot be taken over at all; undefined: it can. */
export function notOffered(devices: Offer['devices'], hasState: boolean): string | undefined {
  const fixed = devices.find(({ kind }) => !canChangeProcess(kind));
  if (fixed !== undefined) return `${fixed.name}: a device of kind ${fixed.kind} cannot change its process`;
  return hasState ? undefined : "the running director keeps no state: set 'state' in director.yaml";
}

/** Why a configuration cannot go on with an offer; undefined: it can. */
export function unfit(offer: Offer, { devices, workers, connections }: Config): string | undefined {
  if (offer.protocol !== PROTOCOL) return `the running director speaks version ${offer.protocol}, this one ${PROTOCOL}`;
  if (offer.layout !== VERSION) return `the running director has state version ${offer.layout}, this one ${VERSION}`;
  const names = (all: readonly { name: string }[]) => all.map(({ name }) => name).join(', ');
  if (names(offer.devices) !== names(devices))
    return `the running director has the devices ${names(offer.devices)}, the configuration ${names(devices)}`;
  const other = devices.find(({ kind }, i) => kind !== 'auto' && kind !== offer.devices[i]!.kind);
  if (other !== undefined) return `${other.name}: the running director has another kind of device`;
  if (offer.workers !== workers) return `'workers' cannot change: the running director has ${offer.workers}`;
  if (offer.connections !== connections.max)
    return `'connections.max' cannot change: the running director has ${offer.connections}`;
  return undefined;
}
