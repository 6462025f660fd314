/**
 * Decodes netlink messages to records by kind. Dumps, answers and notifications use the same
 * decoder.
 */
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
 * `set`: the record is new or has changed. `del`: the record is gone. `replaces`: a route has
 * replaced another of the same destination, table and priority; the kernel does not announce that
 * the other is gone.
 */
export type Change = {
  [K in Kind]: {
    readonly kind: K;
    readonly action: 'set' | 'del';
    readonly replaces: boolean;
    readonly record: Records[K];
  };
}[Kind];

/** Message types are in groups of four: NEW, DEL, GET, SET. */
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

/** The mask of the multicast groups, for nl_groups of struct sockaddr_nl. */
export function groupMask(kinds: readonly Kind[]): number {
  return kinds.flatMap((kind) => GROUPS[kind]).reduce((mask, group) => mask | (1 << (group - 1)), 0);
}

/** The message type RTM_GET* of a kind. */
export function getType(kind: Kind): number {
  return FIRST_TYPE[kind] + 2;
}

/** Decodes a message; undefined for other message types and families. Throws a MalformedMessage. */
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
