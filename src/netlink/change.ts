/** What netlink messages say, by kind: the same decoder serves dumps, answers and notifications. */
import { type Address, decodeAddress } from './address.js';
import { NLM_F, RTM, RTNLGRP } from './constants.js';
import { decodeLink, type Link } from './link.js';
import type { Message } from './message.js';
import { decodeNeighbour, type Neighbour } from './neighbour.js';
import { decodeRoute, type Route } from './route.js';
import { decodeRule, type Rule } from './rule.js';

export interface Records {
  link: Link;
  address: Address;
  route: Route;
  rule: Rule;
  neighbour: Neighbour;
}
export type Kind = keyof Records;
export const KINDS: readonly Kind[] = ['link', 'address', 'route', 'rule', 'neighbour'];

/**
 * `set` is new or altered, `del` gone. `replaces` is true where a route took the place of another one with the same
 * destination, table and priority, which is not announced by itself.
 */
export type Change = {
  [K in Kind]: {
    readonly kind: K;
    readonly action: 'set' | 'del';
    readonly replaces: boolean;
    readonly record: Records[K];
  };
}[Kind];

/** Message types come in fours: NEW, DEL, GET, SET. */
const FIRST_TYPE: Record<Kind, number> = {
  link: RTM.NEWLINK,
  address: RTM.NEWADDR,
  route: RTM.NEWROUTE,
  rule: RTM.NEWRULE,
  neighbour: RTM.NEWNEIGH,
};

const GROUPS: Record<Kind, readonly number[]> = {
  link: [RTNLGRP.LINK],
  address: [RTNLGRP.IPV4_IFADDR, RTNLGRP.IPV6_IFADDR],
  route: [RTNLGRP.IPV4_ROUTE, RTNLGRP.IPV6_ROUTE],
  rule: [RTNLGRP.IPV4_RULE, RTNLGRP.IPV6_RULE],
  neighbour: [RTNLGRP.NEIGH],
};

/** The bits for sockaddr_nl.nl_groups. */
export function groupMask(kinds: readonly Kind[]): number {
  return kinds.flatMap((kind) => GROUPS[kind]).reduce((mask, group) => mask | (1 << (group - 1)), 0);
}

/** RTM_GET* of a kind. */
export function getType(kind: Kind): number {
  return FIRST_TYPE[kind] + 2;
}

/** Undefined for messages that are none of ours. Throws MalformedMessage. */
export function decodeChange(message: Message): Change | undefined {
  const kind = KINDS.find((kind) => (message.type & ~3) === FIRST_TYPE[kind]);
  if (kind === undefined || (message.type & 3) > 1) return undefined;
  const action = message.type & 1 ? 'del' : 'set';
  const replaces = action === 'set' && (message.flags & NLM_F.REPLACE) !== 0;
  return withRecord(kind, action, replaces, message.body);
}

function withRecord(kind: Kind, action: 'set' | 'del', replaces: boolean, body: Uint8Array): Change | undefined {
  switch (kind) {
    case 'link':
      return given(decodeLink(body), (record) => ({ kind, action, replaces, record }));
    case 'address':
      return given(decodeAddress(body), (record) => ({ kind, action, replaces, record }));
    case 'route':
      return given(decodeRoute(body), (record) => ({ kind, action, replaces, record }));
    case 'rule':
      return given(decodeRule(body), (record) => ({ kind, action, replaces, record }));
    case 'neighbour':
      return given(decodeNeighbour(body), (record) => ({ kind, action, replaces, record }));
  }
}

function given<T>(record: T | undefined, make: (record: T) => Change): Change | undefined {
  return record && make(record);
}
