/**
 * What lies between the director and its real servers: the routers of its routes, and tunnels.
 *
 *     director ── DR eth1 ──► real server                     on the link
 *     director ── NAT eth1 ──► router 10.2.0.1 ──► real server
 *     director ═══ tunnel gre eth1 ═══► real server           dashed
 */
import { METHODS } from './text.js';
import type { DestinationEntry, NextHop } from './types.js';

/** A router that leads to some of the drawn real servers. */
export interface Gateway {
  readonly id: string;
  readonly via: string;
  readonly device: string;
  /** Addresses of the real servers. */
  readonly behind: readonly string[];
}

export class Ways {
  private readonly hops: ReadonlyMap<string, NextHop>;
  readonly gateways: readonly Gateway[];

  /** `servers`: addresses of those that are drawn. */
  constructor(routes: readonly NextHop[], servers: readonly string[]) {
    this.hops = new Map(routes.map((hop) => [hop.address, hop]));
    const byId = new Map<string, Gateway>();
    for (const address of servers) {
      const { via, device = '' } = this.hops.get(address) ?? {};
      if (via === undefined) continue;
      const id = `gateway ${via}`;
      byId.set(id, { id, via, device, behind: [...(byId.get(id)?.behind ?? []), address] });
    }
    this.gateways = [...byId.values()];
  }

  /** The router before a real server; undefined: none is known. */
  before(address: string): Gateway | undefined {
    return this.gateways.find(({ behind }) => behind.includes(address));
  }

  /** Method, kind of tunnel and device. */
  label({ method, tunnel, address }: DestinationEntry): string {
    const kind = isTunnel(method) ? tunnel.type : '';
    return [METHODS[method] ?? '', kind, this.hops.get(address)?.device ?? ''].filter(Boolean).join(' ');
  }
}

export function isTunnel(method: DestinationEntry['method']): boolean {
  return method === 'ipip';
}
