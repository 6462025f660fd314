/**
 * What a worker knows of its host: the links into the host's stack, and what the kernel says of
 * interfaces and neighbours.
 */
import type { Director } from '../../dataplane/director.js';
import { dropWaiting, releaseWaiting } from '../../dataplane/output/neighbour-output.js';
import { Link } from '../../dataplane/table/link.js';
import { wordsOf } from '../../dataplane/table/route-data.js';
import { HostRouting } from '../../device/tun/host.js';
import { TunDevice, type TunHandle } from '../../device/tun/tap.js';
import type { Umem } from '../../device/umem.js';
import { addressFamily, parseMac, ZERO_MAC } from '../../wire/address.js';
import type { Announcements } from './announcing.js';
import type { DevicePlaces } from './device-places.js';
import type { LinkFact, NeighbourFact, Report } from './messages.js';

/** Ethernet header and a VLAN tag. */
const OVERHEAD = 18;

/** Adds two links after the configured ones: into the host's stack, and out by its routing. */
export function addHostLinks(
  director: Director,
  places: DevicePlaces,
  umem: Umem,
  handle: TunHandle | undefined,
  report: (report: Report) => void,
): void {
  const tun = handle && new TunDevice(umem, handle);
  const routing = new HostRouting(umem, (packet) => report({ kind: 'originate', packet }));
  places.add(tun ?? new HostRouting(umem, () => {}), routing);
  for (const name of [tun?.name ?? 'no host', routing.name])
    director.links.push(new Link(director.links.length, name, ZERO_MAC, 1500, false, false));
  if (tun) director.hostLink = director.links.at(-2)!;
  for (const link of director.links.slice(-2)) director.neighbours.pointToPoint.add(link.index);
}

export class HostFacts {
  /** Links that could not send. */
  private readonly stopped = new Set<number>();

  constructor(
    private readonly director: Director,
    private readonly announcements: Announcements,
    private readonly report: (report: Report) => void,
  ) {}

  /**
   * Sets MAC and MTU of the links. What failed while a link could not send is asked for again. A
   * longer MTU than frames have room for needs a restart.
   */
  setLinks(links: readonly LinkFact[]): void {
    const { director } = this;
    const longest = director.umem.capacity - OVERHEAD;
    links.forEach(({ mac, mtu, running }, i) => {
      const link = director.links[i]!;
      if (mtu > longest && mtu !== link.mtu)
        this.warn(`${link.name}: MTU ${mtu} needs a restart; until then it is ${longest}`);
      const before = link.mac;
      link.mac = parseMac(mac) ?? before;
      if (link.mac[0] !== before[0] || link.mac[1] !== before[1]) this.announcements.note(i);
      link.mtu = Math.min(mtu, longest);
      if (running && this.stopped.delete(i)) director.neighbours.forgetFailures(i);
      else if (!running) this.stopped.add(i);
    });
    director.router.forgetCached();
  }

  private warn(message: string): void {
    this.report({ kind: 'warned', message });
  }

  /**
   * Applies what the kernel knows about a neighbour, if the dataplane has asked for it. `all`: also
   * if it has not. So the first packets of a director do not wait.
   */
  learn({ device, ip, mac, failed }: NeighbourFact, all = false): void {
    const { neighbours } = this.director;
    const [a0, a1, a2, a3] = wordsOf(ip)!;
    if (all && mac !== '') neighbours.idOf(device, addressFamily(ip), a0!, a1!, a2!, a3!);
    const neighbour = neighbours.known(device, addressFamily(ip), a0!, a1!, a2!, a3!);
    if (neighbour === undefined || neighbour.permanent) return;
    const parsed = mac === '' ? undefined : parseMac(mac);
    if (parsed === undefined) {
      if (neighbour.usable || failed) neighbours.forget(neighbour, failed, this.director.now);
      if (failed) dropWaiting(this.director, neighbour);
      return;
    }
    neighbours.resolve(neighbour, parsed[0], parsed[1], this.director.now);
    releaseWaiting(this.director, neighbour);
  }
}
