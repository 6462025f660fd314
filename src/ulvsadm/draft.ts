/** A command line while it is read, and the requests that it becomes. */
import type { Timeouts } from '../control/api/api.js';
import type { SyncOptions, SyncRole } from '../control/sync/daemon.js';
import {
  DESTINATION_DEFAULTS,
  type DestinationConfig,
  SERVICE_DEFAULTS,
  type ServiceConfig,
  type ServiceKey,
  TCP,
} from '../service/config.js';
import type { Command, OptionName } from './options/names.js';

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
  /** Address of the virtual service. */
  virtual: Endpoint;
  readonly service: Writable<Omit<ServiceConfig, 'key'>>;
  schedulerFlags: string;
  /** Address of the real server. */
  real: Endpoint;
  readonly server: Writable<Omit<DestinationConfig, 'address' | 'port'>>;
  timeouts: Timeouts;
  /** Of --start-daemon and --stop-daemon. */
  role: SyncRole;
  readonly daemon: Writable<SyncOptions>;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

const nowhere = (): Endpoint => ({ family: 0, address: '0.0.0.0', port: 0 });

export function emptyDraft(command: Command): Draft {
  return {
    command,
    options: new Set(),
    protocol: 0,
    fwmark: 0,
    virtual: nowhere(),
    service: { ...SERVICE_DEFAULTS },
    schedulerFlags: '',
    real: nowhere(),
    server: { ...DESTINATION_DEFAULTS },
    timeouts: { tcp: 0, tcpfin: 0, udp: 0 },
    role: 'master',
    daemon: { interface: 'eth0', syncid: 0 },
  };
}

export function keyOf({ fwmark, virtual, protocol }: Draft): ServiceKey {
  if (fwmark !== 0) return { fwmark, family: virtual.family === 6 ? 6 : 4 };
  return { protocol: protocol || TCP, address: virtual.address, port: virtual.port };
}

export function serviceOf(draft: Draft): ServiceConfig {
  return { key: keyOf(draft), ...draft.service };
}

export function destinationOf({ real, server }: Draft): DestinationConfig {
  return { address: real.address, port: real.port, ...server };
}
