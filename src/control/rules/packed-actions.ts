/**
 * Actions on their way to a worker, as one list without an object for each. V8 takes several times
 * as long for objects, in the worker too, where forwarding waits meanwhile.
 *
 *     addService        SERVICE      slot  protocol address port  scheduler flags timeout netmask pe
 *     addDestination    DESTINATION  slot serviceSlot revived  address port method weight thresholds
 *     anything else     OTHER        the action
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
const DESTINATION = 2;

export function pack(actions: readonly Action[]): Packed {
  const packed: Packed = [];
  for (const action of actions)
    if (action.kind === 'addDestination' && isPlain(action.destination.tunnel)) packDestination(packed, action);
    else if (action.kind === 'addService') packService(packed, action);
    else packed.push(OTHER, action);
  return packed;
}

function packDestination(packed: Packed, { slot, serviceSlot, destination, revived }: Added<'addDestination'>): void {
  const { address, port, method, weight, upperThreshold, lowerThreshold } = destination;
  packed.push(DESTINATION, slot, serviceSlot, revived, address, port, method, weight, upperThreshold, lowerThreshold);
}

function packService(packed: Packed, action: Added<'addService'>): void {
  const { key, scheduler, flags, timeout, netmask, pe } = action.service;
  if (isFwmark(key)) packed.push(OTHER, action);
  else packed.push(SERVICE, action.slot, key.protocol, key.address, key.port, scheduler, flags, timeout, netmask, pe);
}

function isPlain({ type, port, checksum }: Tunnel): boolean {
  return type === PLAIN_TUNNEL.type && port === PLAIN_TUNNEL.port && checksum === PLAIN_TUNNEL.checksum;
}

export function unpack(packed: Packed): Action[] {
  const actions: Action[] = [];
  for (let at = 0; at < packed.length; )
    if (packed[at] === OTHER) {
      actions.push(packed[at + 1] as Action);
      at += 2;
    } else {
      actions.push(packed[at] === SERVICE ? serviceAt(packed, at) : destinationAt(packed, at));
      at += FIELDS;
    }
  return actions;
}

/** Of a service and of a destination. */
const FIELDS = 10;

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

function destinationAt(packed: Packed, at: number): Action {
  const destination: DestinationConfig = {
    address: packed[at + 4] as string,
    port: packed[at + 5] as number,
    method: packed[at + 6] as ForwardingMethod,
    weight: packed[at + 7] as number,
    upperThreshold: packed[at + 8] as number,
    lowerThreshold: packed[at + 9] as number,
    tunnel: PLAIN_TUNNEL,
  };
  const [slot, serviceSlot] = [packed[at + 1] as number, packed[at + 2] as number];
  return { kind: 'addDestination', slot, serviceSlot, destination, revived: packed[at + 3] as boolean };
}
