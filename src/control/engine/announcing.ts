/**
 * Announcements (gratuitous ARP, unsolicited neighbour advertisements) of new VIPs and of small
 * ranges.
 */

import type { Director } from '../../dataplane/director.js';
import { announce } from '../../dataplane/neigh/announce.js';
import { wordsOf } from '../../dataplane/table/routes.js';
import { isFwmark } from '../../service/config.js';
import { addressFamily } from '../../wire/address.js';
import type { Action } from '../rules/actions.js';
import { parsePrefix } from '../text/prefix.js';

/** Larger ranges are reached by a route of the router: announcing each address would be a storm. */
const LARGEST_RANGE = 256;

/** Announces the addresses of new services. */
export function announceServices(d: Director, actions: readonly Action[]): void {
  const vips = actions.flatMap((action) =>
    action.kind === 'addService' && !isFwmark(action.service.key) ? [action.service.key.address] : [],
  );
  for (const vip of new Set(vips)) announce(d, addressFamily(vip), wordsOf(vip)!);
}

/** Announces each address of each small range (accept.ranges). */
export function announceRanges(d: Director, ranges: readonly string[]): void {
  for (const text of ranges) {
    const { ip, length } = parsePrefix(text)!;
    const count = 2 ** ((ip.family === 4 ? 32 : 128) - length);
    if (count > LARGEST_RANGE) continue;
    const first = wordsOf(text.split('/')[0]!)!;
    for (let i = 0; i < count; i++) announce(d, ip.family, first.with(3, first[3]! + i));
  }
}
