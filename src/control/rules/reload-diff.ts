/**
 * Changes made by ulvsadm since the file was read, which a reload undoes because the file does not
 * have them.
 */

import { endpoint } from '../../service/config.js';
import type { ChangeRequest, ServiceEntry } from '../api/api.js';
import { serviceName } from './change-words.js';
import { changes } from './diff.js';

/**
 * A line for each undone change. `loaded`: the services of the file at its last reading; `wanted`:
 * those of now.
 */
export function reloadDiff(
  loaded: readonly ServiceEntry[],
  running: readonly ServiceEntry[],
  wanted: readonly ServiceEntry[],
): string[] {
  const back = new Set(changes(running, loaded).map((request) => JSON.stringify(request)));
  if (back.size === 0) return [];
  return changes(running, wanted)
    .filter((request) => back.has(JSON.stringify(request)))
    .map((request) => inWords(request, running));
}

function inWords(request: ChangeRequest, running: readonly ServiceEntry[]): string {
  switch (request.op) {
    case 'addService':
      return `${serviceName(request.service.key)} is there again`;
    case 'editService':
      return `${serviceName(request.service.key)} has its scheduler and options again`;
    case 'deleteService':
      return `${serviceName(request.key)} is gone again`;
    case 'addDestination':
      return `${serverOf(request.destination)} of ${serviceName(request.key)} is there again`;
    case 'deleteDestination':
      return `${serverOf(request)} of ${serviceName(request.key)} is gone again`;
    case 'editDestination':
      return `${serverOf(request.destination)} of ${serviceName(request.key)} ${edited(request, running)}`;
    default:
      return request.op;
  }
}

function edited(
  { key, destination }: Extract<ChangeRequest, { op: 'editDestination' }>,
  running: readonly ServiceEntry[],
): string {
  const service = running.find((one) => serviceName(one.key) === serviceName(key));
  const old = service?.destinations.find((one) => serverOf(one) === serverOf(destination));
  if (old === undefined || old.weight === destination.weight) return 'has its options again';
  return `has weight ${destination.weight} again, not ${old.weight}`;
}

function serverOf({ address, port }: { readonly address: string; readonly port: number }): string {
  return endpoint(address, port);
}
