/**
 * Announcements (gratuitous ARP, unsolicited neighbour advertisements): new VIPs, small ranges when
 * the director starts, and all of them on a link whose MAC has changed or that is attached again.
 * Without the latter a host with the old MAC sends into the void until it probes its entry, half a
 * minute and more.
 */
import type { Director } from '../../dataplane/director.js';
import { announce, announceOn } from '../../dataplane/neigh/announce.js';
import type { Link } from '../../dataplane/table/link.js';
import { wordsOf } from '../../dataplane/table/route-data.js';
import { isFwmark } from '../../service/config.js';
import { addressFamily } from '../../wire/address.js';
import type { Action } from '../rules/actions.js';
import { parsePrefix } from '../text/prefix.js';

/** Larger ranges are reached by a route of the router: announcing each address would be a storm. */
const LARGEST_RANGE = 256;

/** The announcements of one director. */
export class Announcements {
  /** Ranges without a VIP (accept.ranges). */
  ranges: readonly string[] = [];
  /** Links whose neighbours do not know the present MAC. */
  private readonly due = new Set<number>();

  constructor(private readonly d: Director) {}

  /** Announces the addresses of new services. */
  announceServices(actions: readonly Action[]): void {
    const vips = actions.flatMap((action) =>
      action.kind === 'addService' && !isFwmark(action.service.key) ? [action.service.key.address] : [],
    );
    for (const vip of new Set(vips)) announce(this.d, addressFamily(vip), wordsOf(vip)!);
  }

  /** Announces each address of each small range. */
  announceRanges(): void {
    for (const { family, words } of this.rangeAddresses()) announce(this.d, family, words);
  }

  /** The link has another MAC, or its interface is new: announce when it has an address. */
  note(link: number): void {
    this.due.add(link);
  }

  /** Announces everything on the links that are due. A link without an address stays due. */
  announceDue(): void {
    for (const index of this.due) {
      const link = this.d.links[index]!;
      if (link.addresses.length === 0) continue;
      this.due.delete(index);
      // Its own addresses, too: realservers that are masqueraded have one as their gateway.
      for (const { family, words } of [...link.addresses, ...this.addresses()])
        if (this.isAnswered(link, family, words)) announceOn(this.d, link, family, words);
    }
  }

  /** The director or its host answers for the address. */
  private isAnswered({ resolves }: Link, family: number, words: Int32Array): boolean {
    const { acceptArp, own } = this.d;
    return acceptArp || resolves || own.find(words[0]!, words[1]!, words[2]!, words[3]!, 0, family) >= 0;
  }

  /** The VIPs, and the addresses of small ranges. */
  private addresses(): { family: 4 | 6; words: Int32Array }[] {
    const vips = [...this.d.services.all()].filter(({ fwmark }) => fwmark === 0);
    const words = new Map(
      vips.map(({ family, address, address6 }) => {
        const of = family === 4 ? Int32Array.of(0, 0, 0, address) : Int32Array.from(address6);
        return [of.join(), { family: family as 4 | 6, words: of }];
      }),
    );
    return [...words.values(), ...this.rangeAddresses()];
  }

  private rangeAddresses(): { family: 4 | 6; words: Int32Array }[] {
    return this.ranges.flatMap((text) => {
      const { ip, length } = parsePrefix(text)!;
      const count = 2 ** ((ip.family === 4 ? 32 : 128) - length);
      if (count > LARGEST_RANGE) return [];
      const first = wordsOf(text.split('/')[0]!)!;
      return Array.from({ length: count }, (_, i) => ({ family: ip.family, words: first.with(3, first[3]! + i) }));
    });
  }
}
