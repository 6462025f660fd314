/**
 * The director.yaml of a lab. For devices that are not shared with the host (device/kinds.ts) it
 * has addresses and routes; otherwise the kernel has them.
 */
import { kindOf } from '../../device/kinds.js';
import { isIPv6 } from '../../wire/address.js';
import { directoryOf } from '../names.js';
import { type FleetSpec, type Host, hostOf, type LabDevice, type Topology, usesIPv6 } from '../topology.js';

/** The control socket of a director; a lab may have a director and a backup. */
export function socketPath(id: string, director = 'ulvs'): string {
  return `${directoryOf(id)}/${director === 'director' ? 'ulvs' : director}.sock`;
}

/** The director.yaml of a director. */
export function configPath(id: string, director = 'director'): string {
  return `${directoryOf(id)}/${director}.yaml`;
}

export function directorYaml(
  topology: Topology,
  device: LabDevice,
  id: string,
  director: Host = hostOf(topology, 'director'),
): string {
  const own = !kindOf(device).shared;
  const marks = (topology.marks ?? []).map((mark) => `"${mark}"`);
  return [
    `# Lab ${topology.name}: ${topology.summary}`,
    `socket: ${socketPath(id, director.name)}`,
    'state: none',
    ...(topology.workers === undefined ? [] : [`workers: ${topology.workers}`]),
    ...block('devices', deviceLines(director, device)),
    ...(own ? block('routes', routeLines(topology, director)) : []),
    ...(own ? block('policy', policyLines(director)) : []),
    ...block('marks', marks),
    ...(topology.config ?? []),
    `accept: { ${acceptWords({ ...topology, ...director }).join(', ')} }`,
    ...(topology.fleet === undefined ? ruleLines(topology) : fleetLines(topology.fleet, director)),
    '',
  ].join('\n');
}

function ruleLines({ rules }: Topology): string[] {
  return ['rules: |', ...rules.map((rule) => `  ${rule}`)];
}

/**
 * With sloppy_tcp a director takes over connections in the middle that the router sends it from
 * another one.
 */
function fleetLines({ endpoint }: FleetSpec, { name }: Host): string[] {
  return ['sysctl: { sloppy_tcp: 1 }', 'announce: {}', `rules: { etcd: { endpoints: [${endpoint}], name: ${name} } }`];
}

function block(key: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [`${key}:`, ...items.map((item) => `  - ${item}`)];
}

function deviceLines(director: Host, device: LabDevice): string[] {
  return (director.devices ?? director.ports).map(({ dev, mac, address, also = [] }) => {
    const addresses = [address, ...also].filter(Boolean).map(quoted).join(', ');
    return `{ name: ${dev}, kind: ${device}, mac: "${mac}", addresses: [${addresses}], mtu: 1500 }`;
  });
}

/** Quotes an IPv6 address or prefix: YAML gives colons a meaning. */
function quoted(text: string): string {
  return isIPv6(text) ? `"${text}"` : text;
}

function routeLines(topology: Topology, director: Host): string[] {
  const everywhere = usesIPv6(topology) ? '::/0' : '0.0.0.0/0';
  return (director.routes ?? []).map(({ to, via, dev, table }) => {
    const words = [`to: ${quoted(to === 'default' ? everywhere : to)}`, via && `via: ${quoted(via)}`, `dev: ${dev}`];
    return `{ ${[...words, table && `table: ${table}`].filter(Boolean).join(', ')} }`;
  });
}

function policyLines({ policy = [] }: Host): string[] {
  return policy.map(({ priority, from, table }) => `{ priority: ${priority}, from: ${quoted(from)}, table: ${table} }`);
}

type AcceptWords = Pick<Topology, 'arp' | 'ranges' | 'sources' | 'forwardShared'>;

function acceptWords({ arp = true, ranges = [], sources = [], forwardShared = [] }: AcceptWords): string[] {
  return [
    `arp: ${arp}`,
    `ranges: [${ranges.map(quoted).join(', ')}]`,
    ...(sources.length > 0 ? [`sources: [${sources.map(quoted).join(', ')}]`] : []),
    ...(forwardShared.length > 0 ? [`forwardShared: [${forwardShared.join(', ')}]`] : []),
  ];
}
