/** A lab's director.yaml. On a TAP the director has addresses and routes of its own; on packet sockets the kernel has them. */
import { directoryOf } from './names.js';
import { hostOf, type LabDevice, type Topology } from './topology.js';

export function socketPath(id: string): string {
  return `${directoryOf(id)}/ulvs.sock`;
}

export function configPath(id: string): string {
  return `${directoryOf(id)}/director.yaml`;
}

export function directorYaml(topology: Topology, device: LabDevice, id: string): string {
  const own = device === 'tap';
  return [
    `# Lab ${topology.name}: ${topology.summary}`,
    `socket: ${socketPath(id)}`,
    ...block('devices', deviceLines(topology, device)),
    ...(own ? block('routes', routeLines(topology)) : []),
    ...block(
      'marks',
      (topology.marks ?? []).map((mark) => `"${mark}"`),
    ),
    `accept: { arp: true, ranges: [${(topology.ranges ?? []).join(', ')}] }`,
    'rules: |',
    ...topology.rules.map((rule) => `  ${rule}`),
    '',
  ].join('\n');
}

function block(key: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [`${key}:`, ...items.map((item) => `  - ${item}`)];
}

function deviceLines(topology: Topology, device: LabDevice): string[] {
  return hostOf(topology, 'director').ports.map(
    ({ dev, mac, address }) => `{ name: ${dev}, kind: ${device}, mac: "${mac}", addresses: [${address}], mtu: 1500 }`,
  );
}

function routeLines(topology: Topology): string[] {
  const words = { default: '0.0.0.0/0' } as Record<string, string>;
  return (hostOf(topology, 'director').routes ?? []).map(
    ({ to, via, dev }) => `{ to: ${words[to] ?? to}, via: ${via}, dev: ${dev} }`,
  );
}
