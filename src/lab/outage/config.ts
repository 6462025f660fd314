/**
 * The size of an outage's testbed and its director.yaml (network.ts has its drawing). Each VIP has
 * a service for downloads and one for datagrams:
 *
 *     -t VIP:8080, -u VIP:9090 ─► the realservers; of several the first one serves eth0's VIP alone
 */
import { METHODS, type MethodName } from '../flood/testbed.js';
import type { LabDevice } from '../topology.js';
import { addressOf, INTERFACES, serverNames, VIPS } from './network.js';

export const TCP = 8080;
export const UDP = 9090;
/** The folder of the director's state. */
export const STATE = 'state';

export interface ConfigOptions {
  readonly device: LabDevice;
  readonly method: MethodName;
  readonly workers?: number;
  /** A SYN proxy opens all TCP connections. */
  readonly synproxy?: true;
  /** More lines of director.yaml. */
  readonly more?: string;
  /** Number of realservers, 1 when left out. With several the first one serves eth0's VIP alone. */
  readonly servers?: number;
}

export interface BedOptions extends ConfigOptions {
  /** Time between two blocks of a download, ms. */
  readonly pace?: number;
  /** The seed of wires that a program carries; left out: there are none. */
  readonly wires?: number;
  /** The director's log is on a disk of its own, a small one. */
  readonly smallLog?: boolean;
  /** A program that is loaded into the director before it starts. */
  readonly preload?: string | undefined;
}

/** How much the client does, by path. */
export interface LoadSize {
  readonly flows: number;
  readonly downloads: number;
  readonly rate: number;
  /** A download by eth1 that was lost begins again. */
  readonly again?: boolean;
}

/** `folder`: of the state. */
export function configOf(options: ConfigOptions, socket: string, folder: string): string {
  const { device, workers, synproxy, more = '' } = options;
  const proxies = VIPS.map((vip) => `  - { service: "-t ${vip}:${TCP}", synproxy: on }`);
  return [
    `socket: ${socket}`,
    `state: ${folder}/${STATE}`,
    ...(workers === undefined ? [] : [`workers: ${workers}`]),
    'devices:',
    ...INTERFACES.map((name) => `  - { name: ${name}, kind: ${device} }`),
    'accept: { arp: true }',
    ...(synproxy ? ['serviceOptions:', ...proxies] : []),
    more,
    'rules: |',
    ...rulesOf(options).map((rule) => `  ${rule}`),
    '',
  ].join('\n');
}

function rulesOf({ method, servers = 1 }: ConfigOptions): string[] {
  const all = serverNames(servers).map((_, i) => addressOf(i));
  const [first, others] = servers === 1 ? [all, all] : [all.slice(0, 1), all.slice(1)];
  return VIPS.flatMap((vip, path) =>
    [`-t ${vip}:${TCP}`, `-u ${vip}:${UDP}`].flatMap((service) => [
      `-A ${service} -s rr`,
      ...(path === 0 ? first : others).map(
        (rip) => `-a ${service} -r ${rip}:${service.startsWith('-t') ? TCP : UDP} ${METHODS[method]}`,
      ),
    ]),
  );
}
