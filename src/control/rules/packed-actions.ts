/**
 * Actions as one list without an object for each: on their way to a worker, and in the journal. V8
 * takes several times as long for objects, in the worker too, where forwarding waits meanwhile.
 * New destinations of one service that follow each other share their fields:
 *
 *     addService        SERVICE       slot  protocol address port  scheduler flags timeout netmask pe
 *     addDestination    DESTINATIONS  count  serviceSlot revived method weight thresholds  (slot address port) × count
 *     anything else     OTHER         the action
 *
 * A change of this form needs a new version of the journal (control/state/journal.ts).
 */
import {
  type DestinationConfig,
  type ForwardingMethod,
  isFwmark,
  PLAIN_TUNNEL,
  type ServiceConfig,
  type Tunnel,
} from '../../service/config.js';
import type { Action } from './actions.js';

export type Packed = (number | string | boolean | Action)[];

type Added<K extends Action['kind']> = Extract<Action, { kind: K }>;

const OTHER = 0;
const SERVICE = 1;
const DESTINATIONS = 2;

/** Places of the shared fields of destinations. */
const COUNT = 1;
const SHARED = 8;
/** Fields of one destination. */
const OWN = 3;

/** What became of lists that are still in use: a list goes to the journal and to each worker. */
const known = new WeakMap<readonly Action[], Packed>();

/** Call it when the list is complete. */
export function pack(actions: readonly Action[]): Packed {
  const packed = known.get(actions) ?? packAnew(actions);
  known.set(actions, packed);
  return packed;
}

function packAnew(actions: readonly Action[]): Packed {
  const packed: Packed = [];
  // The destinations that the last action belongs to: their place, and one of them.
  let at = 0;
  let last: Added<'addDestination'> | undefined;
  for (const action of actions) {
    if (action.kind !== 'addDestination' || !isPlain(action.destination.tunnel)) {
      last = undefined;
      packOther(packed, action);
      continue;
    }
    if (last === undefined || !goesWith(last, action)) {
      at = packed.length;
      packShared(packed, action);
    }
    last = action;
    packed[at + COUNT] = (packed[at + COUNT] as number) + 1;
    packed.push(action.slot, action.destination.address, action.destination.port);
  }
  return packed;
}

function packOther(packed: Packed, action: Action): void {
  if (action.kind !== 'addService' || isFwmark(action.service.key)) packed.push(OTHER, action);
  else {
    const { key, scheduler, flags, timeout, netmask, pe } = action.service;
    packed.push(SERVICE, action.slot, key.protocol, key.address, key.port, scheduler, flags, timeout, netmask, pe);
  }
}

function packShared(packed: Packed, { serviceSlot, revived, destination }: Added<'addDestination'>): void {
  const { method, weight, upperThreshold, lowerThreshold } = destination;
  packed.push(DESTINATIONS, 0, serviceSlot, revived, method, weight, upperThreshold, lowerThreshold);
}

/** All fields are equal but those of its own. */
function goesWith(a: Added<'addDestination'>, b: Added<'addDestination'>): boolean {
  if (a.serviceSlot !== b.serviceSlot || a.revived !== b.revived) return false;
  const [one, other] = [a.destination, b.destination];
  if (one.method !== other.method || one.weight !== other.weight) return false;
  return one.upperThreshold === other.upperThreshold && one.lowerThreshold === other.lowerThreshold;
}

function isPlain({ type, port, checksum }: Tunnel): boolean {
  return type === PLAIN_TUNNEL.type && port === PLAIN_TUNNEL.port && checksum === PLAIN_TUNNEL.checksum;
}

export function unpack(packed: Packed): Action[] {
  const [all = []] = unpackPieces(packed, Number.POSITIVE_INFINITY);
  return all;
}

/** The actions in pieces of at most `most`, each made when it is asked for. */
export function* unpackPieces(packed: Packed, most: number): Generator<Action[]> {
  let piece: Action[] = [];
  for (let at = 0; at < packed.length; at += lengthAt(packed, at))
    for (let i = 0; i < countAt(packed, at); i++) {
      if (piece.length === most) {
        yield piece;
        piece = [];
      }
      piece.push(actionAt(packed, at, i));
    }
  if (piece.length > 0) yield piece;
}

/** Number of actions in the element at `at`. */
function countAt(packed: Packed, at: number): number {
  return packed[at] === DESTINATIONS ? (packed[at + COUNT] as number) : 1;
}

/** Places that the element at `at` takes. */
function lengthAt(packed: Packed, at: number): number {
  if (packed[at] === OTHER) return 2;
  return packed[at] === SERVICE ? SERVICE_FIELDS : SHARED + OWN * countAt(packed, at);
}

function actionAt(packed: Packed, at: number, i: number): Action {
  if (packed[at] === OTHER) return packed[at + 1] as Action;
  return packed[at] === SERVICE ? serviceAt(packed, at) : destinationAt(packed, at, at + SHARED + OWN * i);
}

const SERVICE_FIELDS = 10;

function serviceAt(packed: Packed, at: number): Action {
  const number = (i: number) => packed[at + i] as number;
  const text = (i: number) => packed[at + i] as string;
  const service: ServiceConfig = {
    key: { protocol: number(2), address: text(3), port: number(4) },
    scheduler: text(5),
    flags: number(6),
    timeout: number(7),
    netmask: number(8),
    pe: text(9),
  };
  return { kind: 'addService', slot: number(1), service };
}

/** `at`: the shared fields; `own`: those of this destination. */
function destinationAt(packed: Packed, at: number, own: number): Action {
  const destination: DestinationConfig = {
    address: packed[own + 1] as string,
    port: packed[own + 2] as number,
    method: packed[at + 4] as ForwardingMethod,
    weight: packed[at + 5] as number,
    upperThreshold: packed[at + 6] as number,
    lowerThreshold: packed[at + 7] as number,
    tunnel: PLAIN_TUNNEL,
  };
  const [slot, serviceSlot] = [packed[own] as number, packed[at + 2] as number];
  return { kind: 'addDestination', slot, serviceSlot, destination, revived: packed[at + 3] as boolean };
}
