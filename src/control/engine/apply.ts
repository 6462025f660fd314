/**
 * Applies actions to the services and destinations of a dataplane, between batches. Rules has
 * accepted them, so that none can fail.
 */
import type { Director } from '../../dataplane/director.js';
import type { Steering } from '../../dataplane/workers/steering.js';
import { engineNamed } from '../../persistence/index.js';
import { schedulerNamed } from '../../schedulers/index.js';
import { type DestinationConfig, familyOf, isFwmark, keyText, type ServiceConfig } from '../../service/config.js';
import { Destination, Method, type Schedule, TunnelKind, VirtualService } from '../../service/service.js';
import { addressFamily, parse4, parse6 } from '../../wire/address.js';
import type { Action } from '../rules/actions.js';
import { setOptions } from './service-options.js';

/** Applies actions in order. */
export function apply(d: Director, actions: readonly Action[]): void {
  for (const action of actions) applyOne(d, action);
}

/**
 * With several workers: tells the steering of new services and destinations. Call after `apply`.
 */
export function teach(steering: Steering, d: Director, actions: readonly Action[]): void {
  for (const action of actions) {
    // What a later action of the list removed needs no steering of its own: it has no connection.
    const service = action.kind === 'addService' ? d.services.bySlot[action.slot] : undefined;
    const dest = action.kind === 'addDestination' ? d.dests[action.slot] : undefined;
    if (service !== undefined) steering.learnService(service);
    if (dest !== undefined) steering.learnDestination(dest);
  }
}

function applyOne(d: Director, action: Action): void {
  switch (action.kind) {
    case 'addService':
      return addService(d, action.slot, action.service);
    case 'editService':
      return editService(d, action.slot, action.service);
    case 'deleteService':
      return deleteService(d, action.slot);
    case 'addDestination':
      return addDestination(d, action.slot, action.serviceSlot, action.destination);
    case 'editDestination':
      return editDestination(d, d.dests[action.slot]!, action.destination);
    case 'drainDestination':
      d.dests[action.slot]!.draining = action.on;
      return;
    case 'endConnections':
      return d.endConns.end(d.dests[action.slot]!, action.tcp, action.udp);
    case 'removeDestination':
      return removeDestination(d, d.dests[action.slot]!);
    case 'setTimeouts':
      return d.connections.states.timeouts.set(action.timeouts.tcp, action.timeouts.tcpfin, action.timeouts.udp);
    case 'zeroRates':
      // Rates belong to the control thread.
      return;
  }
}

function addService(d: Director, slot: number, config: ServiceConfig): void {
  const service = new VirtualService(slot, d);
  setKey(service, config);
  setService(service, config);
  setOptions(d, service);
  d.services.add(service);
  d.noteEngine(service, 1);
}

function editService(d: Director, slot: number, config: ServiceConfig): void {
  const service = d.services.bySlot[slot]!;
  d.noteEngine(service, -1);
  setService(service, config);
  d.noteEngine(service, 1);
}

function deleteService(d: Director, slot: number): void {
  const service = d.services.bySlot[slot]!;
  service.available = false;
  d.services.delete(service);
  d.synFloods.noteService(service);
  d.noteEngine(service, -1);
}

function setKey(service: VirtualService, { key }: ServiceConfig): void {
  service.key = keyText(key);
  service.family = familyOf(key);
  if (isFwmark(key)) {
    service.fwmark = key.fwmark;
    return;
  }
  service.protocol = key.protocol;
  service.port = key.port;
  if (service.family === 4) service.address = parse4(key.address)!;
  else service.address6 = parse6(key.address)!;
}

/** Sets everything that can be edited. An unchanged scheduler keeps its state, as in the kernel. */
function setService(service: VirtualService, config: ServiceConfig): void {
  service.flags = config.flags;
  service.timeout = config.timeout;
  service.netmask = service.family === 4 ? config.netmask | 0 : config.netmask;
  service.engine = engineNamed(config.pe);
  if (service.scheduler === config.scheduler) return;
  service.scheduler = config.scheduler;
  service.schedule = schedulerNamed(config.scheduler)?.bind(service) ?? NO_SCHEDULER;
}

/** `-s none`: no client finds a destination (ip_vs_schedule without svc->scheduler). */
const NO_SCHEDULER: Schedule = { schedule: () => null };

function addDestination(d: Director, slot: number, serviceSlot: number, config: DestinationConfig): void {
  const service = d.services.bySlot[serviceSlot]!;
  const known = d.dests[slot];
  // A destination that comes back gets its connections, which name its slot.
  const dest =
    known !== undefined && isSame(known, service, config) ? known : new Destination(slot, service, d.counters);
  dest.service = service;
  dest.available = true;
  dest.draining = false;
  setAddress(dest, config);
  setDestination(dest, config);
  // Added with weight 0, it has no share in the table of mh, unlike one that was quiesced later.
  dest.lastWeight = config.weight;
  d.dests[slot] = dest;
  service.add(dest);
  dest.noteThresholds();
  d.index(dest);
}

/** Connections refer to the destination, or the scheduler of its service may (lblc, lblcr). */
function isSame(dest: Destination, service: VirtualService, config: DestinationConfig): boolean {
  const isKnown = dest.references > 0 || dest.service === service;
  return isKnown && dest.text === config.address && dest.port === config.port;
}

function setAddress(dest: Destination, { address, port }: DestinationConfig): void {
  dest.family = addressFamily(address);
  dest.port = port;
  if (dest.family === 4) dest.address = parse4(address)!;
  else dest.address6 = parse6(address)!;
}

function setDestination(dest: Destination, config: DestinationConfig): void {
  dest.method = Method[config.method];
  dest.weight = config.weight;
  if (config.weight !== 0) dest.lastWeight = config.weight;
  dest.upperThreshold = config.upperThreshold;
  dest.lowerThreshold = config.lowerThreshold;
  dest.tunnelKind = TunnelKind[config.tunnel.type];
  dest.tunnelPort = config.tunnel.port;
  dest.tunnelChecksum = ['', 'csum', 'remcsum'].indexOf(config.tunnel.checksum);
}

function editDestination(d: Director, dest: Destination, config: DestinationConfig): void {
  d.unindex(dest);
  setDestination(dest, config);
  dest.noteThresholds();
  dest.service.schedule.destUpdated?.(dest);
  d.index(dest);
}

function removeDestination(d: Director, dest: Destination): void {
  dest.available = false;
  d.endConns.noteRemoval(dest);
  d.unindex(dest);
  dest.service.remove(dest);
}
