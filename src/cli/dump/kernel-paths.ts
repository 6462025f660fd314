/**
 * Routes, policy rules and neighbours of the kernel by a director's devices, as keys of
 * director.yaml. What the file cannot say is left out: routes with several next hops, metrics but
 * the smallest, policy rules that do more than select a table.
 */
import type { Family } from '../../netlink/inet.js';
import { RouteSocket } from '../../netlink/route-socket.js';
import { readSnapshot, type Snapshot } from '../../netlink/snapshot.js';

type Row = Readonly<Record<string, string | number | boolean>>;

/** Values of the keys of that name. */
export interface KernelPaths {
  readonly routes: readonly Row[];
  readonly policy: readonly Row[];
  readonly neighbours: readonly Row[];
}

const MAIN = 254;
const LOCAL = 255;
/** Priorities of the rules that every kernel has: local, main, default. */
const USUAL = [0, 32766, 32767];
/** What IPv6 has on every interface. */
const OF_EVERY_LINK = /^(fe80:|ff00:)/i;

/** Of this network namespace. `devices`: names. Throws a SystemError. */
export function readKernelPaths(devices: readonly string[]): KernelPaths {
  const socket = new RouteSocket();
  try {
    return kernelPaths(readSnapshot(socket), devices);
  } finally {
    socket.close();
  }
}

export function kernelPaths(snapshot: Snapshot, devices: readonly string[]): KernelPaths {
  const names = new Map(snapshot.links.map(({ ifindex, name }) => [ifindex, name]));
  const nameOf = (ifindex: number | undefined) => {
    const name = ifindex === undefined ? undefined : names.get(ifindex);
    return name !== undefined && devices.includes(name) ? name : undefined;
  };
  return { routes: routesOf(snapshot, nameOf), policy: policyOf(snapshot), neighbours: neighboursOf(snapshot, nameOf) };
}

type NameOf = (ifindex: number | undefined) => string | undefined;

/** Routes of the kernel's own for the networks of addresses follow from the addresses. */
function routesOf({ routes }: Snapshot, nameOf: NameOf): Row[] {
  const byPlace = new Map<string, { priority: number; row: Row }>();
  for (const { dst, family, type, table, priority, protocol, nexthops, prefsrc, mtu } of routes) {
    const [hop, ...more] = nexthops;
    const dev = nameOf(hop?.oif);
    const own = type !== 'unicast' || table === LOCAL || protocol === 'kernel' || OF_EVERY_LINK.test(dst);
    if (own || hop === undefined || more.length > 0 || dev === undefined) continue;
    const row = {
      to: dst === 'default' ? everything(family) : dst,
      ...(hop.gateway !== undefined && { via: hop.gateway }),
      dev,
      ...(prefsrc !== undefined && { src: prefsrc }),
      ...(table !== MAIN && { table }),
      ...(mtu !== undefined && { mtu }),
      ...(hop.onlink && { onlink: true }),
    };
    const place = `${row.to} ${table}`;
    const before = byPlace.get(place);
    if (before === undefined || priority < before.priority) byPlace.set(place, { priority, row });
  }
  return [...byPlace.values()].map(({ row }) => row);
}

function everything(family: Family): string {
  return family === 6 ? '::/0' : '0.0.0.0/0';
}

function policyOf({ rules }: Snapshot): Row[] {
  return rules
    .filter(
      ({ action, invert, iif, priority }) =>
        action === 'lookup' && !invert && iif === undefined && !USUAL.includes(priority),
    )
    .map(({ priority, table, src, dst }) => ({
      priority,
      table,
      ...(src !== undefined && { from: src }),
      ...(dst !== undefined && { to: dst }),
    }));
}

/** Not multicast groups, of which the kernel has rows too: their MAC has the group bit. */
function neighboursOf({ neighbours }: Snapshot, nameOf: NameOf): Row[] {
  return neighbours.flatMap(({ ip, ifindex, mac, valid }) => {
    const dev = nameOf(ifindex);
    const isHost = valid && mac !== '' && (Number.parseInt(mac, 16) & 1) === 0;
    return isHost && dev !== undefined ? [{ ip, dev, mac }] : [];
  });
}
