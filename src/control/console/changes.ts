/**
 * Changes of rules by the console: in words before they are made, then made, and taken back.
 *
 *     requests ─► words (a line for each) ─► confirmed ─► requests ─► how to undo it, on a stack
 */
import { isDeepStrictEqual } from 'node:util';
import { endpoint, keyText, type ServiceKey } from '../../service/config.js';
import type { AdminClient, AdminRequest, ChangeRequest, DestinationEntry, ServiceEntry } from '../api/api.js';
import { ask } from '../api/ask.js';
import type { RULE_CHANGES } from '../api/changes.js';
import { changeInWords, serviceName } from '../rules/change-words.js';
import { counted } from '../text/counted.js';

type Drain = Extract<AdminRequest, { op: 'drain' }>;
/** What the console may ask for. */
export type ConsoleChange = Extract<ChangeRequest, { op: (typeof RULE_CHANGES)[number] }>;

/** A change that can be taken back. */
interface Done {
  readonly words: readonly string[];
  readonly undo: readonly (ConsoleChange | Drain)[];
}

/** Changes that can be taken back. */
const KEPT = 50;

export class Changes {
  private readonly done: Done[] = [];

  /** What `undo` would take back, in words; none: nothing. */
  get last(): readonly string[] {
    return this.done.at(-1)?.words ?? [];
  }

  /** The changes in words, and what they do to connections. */
  async words(client: AdminClient, changes: readonly (ConsoleChange | Drain)[]): Promise<string[]> {
    const { services = [] } = await ask(client, { op: 'list' });
    return changes.flatMap((change) => wordsOf(change, services));
  }

  /** Makes the changes. Rejects with a RefusedError; what came before the refused one is made. */
  async make(client: AdminClient, changes: readonly (ConsoleChange | Drain)[]): Promise<void> {
    const { services = [] } = await ask(client, { op: 'list' });
    const words = changes.flatMap((change) => wordsOf(change, services));
    const undo: (ConsoleChange | Drain)[] = [];
    for (const change of changes) {
      const back = inverse(change, services);
      await ask(client, change);
      undo.unshift(...back);
    }
    this.done.push({ words, undo });
    if (this.done.length > KEPT) this.done.shift();
  }

  /** Takes the last change back; returns it in words. Rejects when rules have changed since. */
  async undo(client: AdminClient): Promise<readonly string[]> {
    const last = this.done.pop();
    if (last === undefined) throw new Error('there is nothing to undo');
    for (const change of last.undo) await ask(client, change);
    return last.words;
  }
}

function wordsOf(change: ConsoleChange | Drain, services: readonly ServiceEntry[]): string[] {
  if (change.op === 'drain') return [drainWords(change)];
  const before = { count: services.length, find: (key: ServiceKey) => serviceOf(services, key) };
  const lost = change.op === 'deleteDestination' ? destinationOf(services, change) : undefined;
  const active = lost?.activeConns ?? 0;
  const words = changeInWords(change, before);
  return active === 0 ? [words] : [words, `${counted(active, 'connection')} to it cannot go on`];
}

function drainWords({ key, address, port, share }: Drain): string {
  const name = `${serviceName(key)} ${endpoint(address, port)}`;
  return share === undefined ? `${name} drains no longer` : `${name} drains: it gets no new connections`;
}

/** What takes a change back, given the services before it. */
function inverse(change: ConsoleChange | Drain, services: readonly ServiceEntry[]): (ConsoleChange | Drain)[] {
  switch (change.op) {
    case 'addService':
      return [{ op: 'deleteService', key: change.service.key }];
    case 'editService': {
      const old = serviceOf(services, change.service.key);
      return old === undefined ? [] : [{ op: 'editService', service: serviceConfig(old) }];
    }
    case 'deleteService': {
      const old = serviceOf(services, change.key);
      return old === undefined ? [] : [{ op: 'addService', service: serviceConfig(old) }, ...allOf(old)];
    }
    case 'addDestination':
      return [{ op: 'deleteDestination', key: change.key, ...place(change.destination) }];
    case 'editDestination':
    case 'deleteDestination': {
      const old = destinationOf(services, change);
      const op = change.op === 'editDestination' ? 'editDestination' : 'addDestination';
      return old === undefined ? [] : [{ op, key: change.key, destination: destinationConfig(old) }];
    }
    case 'drain':
      return [undrained(change, services)];
  }
}

function undrained({ share: _, ...rest }: Drain, services: readonly ServiceEntry[]): Drain {
  return destinationOf(services, rest)?.present?.draining === true ? { ...rest, share: 0 } : rest;
}

/** Requests that add the destinations of a service, in an order that keeps theirs. */
function allOf({ key, destinations }: ServiceEntry): ConsoleChange[] {
  return [...destinations].reverse().map((one) => ({ op: 'addDestination', key, destination: destinationConfig(one) }));
}

function serviceOf(services: readonly ServiceEntry[], key: ServiceKey): ServiceEntry | undefined {
  return services.find((one) => keyText(one.key) === keyText(key));
}

type Place = { key: ServiceKey } & (
  | { address: string; port: number }
  | { destination: { address: string; port: number } }
);

function destinationOf(services: readonly ServiceEntry[], change: Place): DestinationEntry | undefined {
  const wanted = place('destination' in change ? change.destination : change);
  return serviceOf(services, change.key)?.destinations.find((one) => isDeepStrictEqual(place(one), wanted));
}

function place({ address, port }: { address: string; port: number }): { address: string; port: number } {
  return { address, port };
}

function serviceConfig({ key, scheduler, flags, timeout, netmask, pe }: ServiceEntry) {
  return { key, scheduler, flags, timeout, netmask, pe };
}

function destinationConfig(entry: DestinationEntry) {
  const { address, port, method, weight, upperThreshold, lowerThreshold, tunnel } = entry;
  return { address, port, method, weight, upperThreshold, lowerThreshold, tunnel };
}
