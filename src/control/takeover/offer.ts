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
 * The state (control/state) has connections, counters and rules: both map the same files. Where
 * they cannot, the old process yields: it stops, and the new one converts the state (yielding.ts).
 */
import { canChangeProcess } from '../../device/handle.js';
import type { DeviceKind } from '../../device/kinds.js';
import type { Config } from '../config/config.js';
import type { Transfer } from '../engine/transfer.js';
import { FORMER_LAYOUTS, VERSION } from '../state/layout.js';

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

/** Why a process cannot go on with an offer, nor with its state; undefined: it can. */
export function foreign({ protocol, layout }: Offer): string | undefined {
  if (protocol !== PROTOCOL) return `the running director speaks version ${protocol}, this one ${PROTOCOL}`;
  if (layout !== VERSION && FORMER_LAYOUTS.every(({ version }) => version !== layout))
    return `the running director has state version ${layout}, this one ${VERSION}`;
  return undefined;
}

/** Why a configuration cannot use devices and tables of an offer as they are; undefined: it can. */
export function unfit(offer: Offer, { devices, workers, connections }: Config): string | undefined {
  if (offer.layout !== VERSION) return `its state has version ${offer.layout}, this one ${VERSION}`;
  const names = (all: readonly { name: string }[]) => all.map(({ name }) => name).join(', ');
  if (names(offer.devices) !== names(devices))
    return `its devices are ${names(offer.devices)}, those of the configuration ${names(devices)}`;
  const other = devices.find(({ kind }, i) => kind !== 'auto' && kind !== offer.devices[i]!.kind);
  if (other !== undefined) return `${other.name}: it has another kind of device`;
  if (offer.workers !== workers) return `it has 'workers: ${offer.workers}', the configuration ${workers}`;
  if (offer.connections !== connections.max)
    return `it has 'connections.max: ${offer.connections}', the configuration ${connections.max}`;
  return undefined;
}
