/**
 * The short form of a batch: plain destinations of one service, one after the other, are one
 * element. It is an eighth of the text. A director that takes it says so (`short` in its answer to
 * "who is there?"); it is never longer than what it stands for.
 *
 *     addDestination 10.1.0.1:80, addDestination 10.1.0.2:80  ◄──►  addDestinations at 10.1.0.1 80 10.1.0.2 80
 */
import {
  DESTINATION_DEFAULTS,
  type DestinationConfig,
  type ForwardingMethod,
  PLAIN_TUNNEL,
  type ServiceKey,
} from '../../service/config.js';
import type { AdminRequest, ChangeRequest } from './api.js';

type Batch = Extract<AdminRequest, { op: 'batch' }>;
type Added = Extract<ChangeRequest, { op: 'addDestination' }>;

/** Destinations without thresholds, whose tunnel is the plain one. */
export interface AddedTogether {
  readonly op: 'addDestinations';
  readonly key: ServiceKey;
  readonly method: ForwardingMethod;
  readonly weight: number;
  /** Address, port, address, port, … */
  readonly at: (string | number)[];
}

export type ShortChange = ChangeRequest | AddedTogether;

export interface ShortBatch {
  readonly op: 'batch';
  readonly requests: readonly ShortChange[];
}

/** Batches with fewer requests are sent as they are. */
const FEW = 10;

export function isLongBatch(request: AdminRequest | undefined): request is Batch {
  return request?.op === 'batch' && request.requests.length >= FEW;
}

/** Destinations that follow each other have one key object, or each has its own line. */
export function shortened({ op, requests }: Batch): ShortBatch {
  const short: ShortChange[] = [];
  let last: AddedTogether | undefined;
  for (const change of requests) {
    const isPlain = change.op === 'addDestination' && isPlainOne(change.destination);
    if (!isPlain) last = undefined;
    else if (last === undefined || !goesWith(last, change)) {
      const { key, destination } = change;
      last = { op: 'addDestinations', key, method: destination.method, weight: destination.weight, at: [] };
      short.push(last);
    }
    if (isPlain) last!.at.push(change.destination.address, change.destination.port);
    else short.push(change);
  }
  return { op, requests: short };
}

/** Makes the requests of which elements of the short form consist. */
export function lengthened(requests: readonly ShortChange[]): ChangeRequest[] {
  const long: ChangeRequest[] = [];
  for (const change of requests)
    if (change.op !== 'addDestinations') long.push(change);
    else for (let i = 0; i < change.at.length; i += 2) long.push(addedAt(change, i));
  return long;
}

function addedAt({ key, method, weight, at }: AddedTogether, i: number): Added {
  const [address, port] = [at[i] as string, at[i + 1] as number];
  const { upperThreshold, lowerThreshold, tunnel } = DESTINATION_DEFAULTS;
  return {
    op: 'addDestination',
    key,
    destination: { address, port, method, weight, upperThreshold, lowerThreshold, tunnel },
  };
}

function isPlainOne({ upperThreshold, lowerThreshold, tunnel }: DestinationConfig): boolean {
  return upperThreshold === 0 && lowerThreshold === 0 && tunnel === PLAIN_TUNNEL;
}

function goesWith(last: AddedTogether, { key, destination }: Added): boolean {
  return last.key === key && last.method === destination.method && last.weight === destination.weight;
}
