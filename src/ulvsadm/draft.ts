/** A command line while it is read, and the requests that it becomes. */
import type { Timeouts } from '../control/api/api.js';
import {
  type DestinationConfig,
  type ForwardingMethod,
  PLAIN_TUNNEL,
  type ServiceConfig,
  type ServiceKey,
  TCP,
  type Tunnel,
} from '../service/config.js';
import type { Command, OptionName } from './options.js';

/** An address and port as far as the line has named them; `family` is 0 if it has not. */
export interface Endpoint {
  family: 0 | 4 | 6;
  address: string;
  port: number;
}

/**
 * A command line, filled in option by option, in the order given. The order matters: -M before -t,
 * -6 after -f.
 */
export interface Draft {
  command: Command;
  readonly options: Set<OptionName>;
  protocol: number;
  fwmark: number;
  service: Endpoint;
  scheduler: string;
  flags: number;
  timeout: number;
  netmask: number;
  pe: string;
  schedulerFlags: string;
  server: Endpoint;
  method: ForwardingMethod;
  weight: number;
  upperThreshold: number;
  lowerThreshold: number;
  tunnel: Tunnel;
  timeouts: Timeouts;
}

const nowhere = (): Endpoint => ({ family: 0, address: '0.0.0.0', port: 0 });

export function emptyDraft(command: Command): Draft {
  return {
    command,
    options: new Set(),
    protocol: 0,
    fwmark: 0,
    service: nowhere(),
    scheduler: '',
    flags: 0,
    timeout: 0,
    netmask: 0xffffffff,
    pe: '',
    schedulerFlags: '',
    server: nowhere(),
    method: 'gatewaying',
    weight: 1,
    upperThreshold: 0,
    lowerThreshold: 0,
    tunnel: PLAIN_TUNNEL,
    timeouts: { tcp: 0, tcpfin: 0, udp: 0 },
  };
}

export function keyOf({ fwmark, service, protocol }: Draft): ServiceKey {
  if (fwmark !== 0) return { fwmark, family: service.family === 6 ? 6 : 4 };
  return { protocol: protocol || TCP, address: service.address, port: service.port };
}

export function serviceOf(draft: Draft): ServiceConfig {
  const { scheduler, flags, timeout, netmask, pe } = draft;
  return { key: keyOf(draft), scheduler, flags, timeout, netmask, pe };
}

export function destinationOf(draft: Draft): DestinationConfig {
  const { server, method, weight, upperThreshold, lowerThreshold, tunnel } = draft;
  return { address: server.address, port: server.port, method, weight, upperThreshold, lowerThreshold, tunnel };
}
