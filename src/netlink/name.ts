/** The words that iproute2 prints for numbers. A number without a word becomes its decimal text. */

const SCOPES = new Map([
  [0, 'global'],
  [200, 'site'],
  [253, 'link'],
  [254, 'host'],
  [255, 'nowhere'],
]);

const PROTOCOLS = new Map([
  [0, 'unspec'],
  [1, 'redirect'],
  [2, 'kernel'],
  [3, 'boot'],
  [4, 'static'],
  [9, 'ra'],
  [16, 'dhcp'],
  [186, 'bgp'],
  [187, 'isis'],
  [188, 'ospf'],
  [189, 'rip'],
]);

export const ROUTE_TYPES = [
  'unspec',
  'unicast',
  'local',
  'broadcast',
  'anycast',
  'multicast',
  'blackhole',
  'unreachable',
  'prohibit',
  'throw',
  'nat',
  'xresolve',
] as const;
export type RouteType = (typeof ROUTE_TYPES)[number];

export function scopeText(scope: number): string {
  return SCOPES.get(scope) ?? String(scope);
}

export function protocolText(protocol: number): string {
  return PROTOCOLS.get(protocol) ?? String(protocol);
}

export function routeType(type: number): RouteType {
  return ROUTE_TYPES[type] ?? 'unspec';
}
