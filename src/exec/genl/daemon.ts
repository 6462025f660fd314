/**
 * Synchronisation daemons in messages of family IPVS: IPVS_CMD_ATTR_DAEMON (ip_vs_genl_new_daemon,
 * ip_vs_genl_fill_daemon).
 */
import type { SyncDaemon, SyncOptions, SyncRole } from '../../control/sync/daemon.js';
import type { Attributes } from '../../netlink/attribute.js';
import { isIPv6 } from '../../wire/address.js';
import { Refusal } from '../refusal.js';
import { addressBytes, addressText } from '../values.js';
import { CMD_ATTR, DAEMON_ATTR } from './constants.js';
import { encoded } from './encode.js';
import { DAEMON_POLICY, validatedNest } from './policy.js';

/** IP_VS_STATE_MASTER, IP_VS_STATE_BACKUP. */
export const ROLES: Readonly<Record<number, SyncRole>> = { 1: 'master', 2: 'backup' };
export const LARGEST_ID = 255;

export interface DaemonRequest {
  readonly role: SyncRole;
  readonly attributes: Attributes;
}

/** Throws a Refusal with EINVAL. */
export function parseDaemon(nested: Uint8Array | undefined): DaemonRequest {
  const attributes = validatedNest(nested, DAEMON_POLICY, 'daemon');
  const role = ROLES[attributes.u32(DAEMON_ATTR.STATE) ?? 0];
  if (role === undefined) throw new Refusal('EINVAL', 'a daemon is master (1) or backup (2)');
  return { role, attributes };
}

/** What a new daemon shall be. Throws a Refusal with EINVAL. */
export function daemonOptions({ attributes }: DaemonRequest): SyncOptions {
  const [name, syncid] = [attributes.text(DAEMON_ATTR.MCAST_IFN), attributes.u32(DAEMON_ATTR.SYNC_ID)];
  if (!name || syncid === undefined) throw new Refusal('EINVAL', 'a daemon needs interface and id');
  if (syncid > LARGEST_ID) throw new Refusal('EINVAL', `id ${syncid}: at most ${LARGEST_ID}`);
  const [group4, group6] = [attributes.bytes(DAEMON_ATTR.MCAST_GROUP), attributes.bytes(DAEMON_ATTR.MCAST_GROUP6)];
  const group = group6 ? addressText(group6, 6) : group4 && addressText(group4, 4);
  // The kernel takes 0 for "as usual".
  const maxlen = attributes.u16(DAEMON_ATTR.SYNC_MAXLEN) || undefined;
  const port = attributes.u16(DAEMON_ATTR.MCAST_PORT) || undefined;
  const ttl = attributes.u8(DAEMON_ATTR.MCAST_TTL) || undefined;
  return {
    interface: name,
    syncid,
    ...(group !== undefined && { group }),
    ...(maxlen !== undefined && { maxlen }),
    ...(port !== undefined && { port }),
    ...(ttl !== undefined && { ttl }),
  };
}

export function encodeDaemon({ role, interface: name, syncid, maxlen, group, port, ttl }: SyncDaemon): Uint8Array {
  const address = addressBytes(group);
  return encoded((to) =>
    to.nest(CMD_ATTR.DAEMON, () => {
      to.u32(DAEMON_ATTR.STATE, role === 'master' ? 1 : 2);
      to.text(DAEMON_ATTR.MCAST_IFN, name);
      to.u32(DAEMON_ATTR.SYNC_ID, syncid);
      to.u16(DAEMON_ATTR.SYNC_MAXLEN, maxlen);
      to.u16(DAEMON_ATTR.MCAST_PORT, port);
      to.u8(DAEMON_ATTR.MCAST_TTL, ttl);
      if (isIPv6(group)) to.raw(DAEMON_ATTR.MCAST_GROUP6, address);
      else to.raw(DAEMON_ATTR.MCAST_GROUP, address.subarray(0, 4));
    }),
  );
}
