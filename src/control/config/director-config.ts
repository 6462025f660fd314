/**
 * Config: a whole configuration as plain data, every default filled in. Addresses and MACs are text
 * in canonical form. The types come from schema.ts, which says what each key is.
 */
import type { ServiceKey } from '../../service/config.js';
import type { Sections } from './sections.js';

/** Read-only, all the way down. */
type Frozen<T> = T extends object ? { readonly [K in keyof T]: Frozen<T[K]> } : T;

/** A rule as for `ulvsadm -R`, and where it stands; `line` counts from 1. */
export interface RuleLine {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

/** What is not a key of the file. */
interface Origin {
  /** The file, by the name it was given. */
  readonly file: string;
  /** The line of each device's name, in the order of `devices`. */
  readonly deviceLines: readonly number[];
  /** The rules of `rules` or of `rulesFile`. */
  readonly ruleLines: readonly RuleLine[];
  /** Absolute path. */
  readonly rulesFile: string | undefined;
  /** Where the rules are, if the file does not have them. */
  readonly rules: { readonly etcd: EtcdConfig } | undefined;
  /** Absolute path. */
  readonly socket: string;
  /** Paths are absolute. */
  readonly console: ConsoleConfig | undefined;
}

/** `console`; paths are absolute here. */
export type ConsoleConfig = Frozen<NonNullable<Sections['console']>>;

/** `rules.etcd`; paths are absolute here. */
export type EtcdConfig = Frozen<Extract<Sections['rules'], object>['etcd']>;

export type Config = Origin & Frozen<Omit<Sections, 'rules' | 'rulesFile' | 'socket' | 'console'>>;

export type DeviceConfig = Config['devices'][number];
/** `default` is written out as 0.0.0.0/0 or ::/0; table 254 is main. */
export type RouteConfig = NonNullable<Config['routes']>[number];
export type PolicyConfig = Config['policy'][number];
export type NeighbourConfig = Config['neighbours'][number];
export type AcceptConfig = Config['accept'];
export type SnatConfig = Config['snat'][number];

export type ChecksConfig = Config['checks'][number];

/** What the dataplane takes anew while the director runs. */
export type Settings = Pick<Config, 'sysctl' | 'marks' | 'accept' | 'timeouts' | 'helpers' | 'snat' | 'serviceOptions'>;

/** The settings among what a configuration says. */
export function settingsOf({ sysctl, marks, accept, timeouts, helpers, snat, serviceOptions }: Settings): Settings {
  return { sysctl, marks, accept, timeouts, helpers, snat, serviceOptions };
}

/** The services that have a SYN proxy. */
export function proxied({ serviceOptions }: Pick<Config, 'serviceOptions'>): ServiceKey[] {
  return serviceOptions.filter(({ synproxy }) => synproxy !== 'off').map(({ service }) => service);
}
