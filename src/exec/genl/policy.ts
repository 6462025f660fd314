/**
 * Attribute policies (lib/nlattr.c, liberal validation as for all commands of family IPVS): which
 * types a request may have, and their lengths. A type beyond the policy is ignored. Bytes behind
 * the last whole attribute are ignored, too.
 */
import { Attributes } from '../../netlink/attribute.js';
import { align, HOST_LITTLE, viewOf } from '../../netlink/message.js';
import { Refusal } from '../refusal.js';
import { CMD_ATTR, DAEMON_ATTR, DEST_ATTR, SVC_ATTR } from './constants.js';

/** `string`: ends with a NUL within `max` + 1 bytes. `binary`: at most `max` bytes. */
type Kind =
  | { readonly kind: 'u8' | 'u16' | 'u32' | 'nested' }
  | { readonly kind: 'string' | 'binary'; readonly max: number };
export type Policy = Readonly<Record<number, Kind>>;

const u8 = { kind: 'u8' } as const;
const u16 = { kind: 'u16' } as const;
const u32 = { kind: 'u32' } as const;
const nested = { kind: 'nested' } as const;
const text = (max: number): Kind => ({ kind: 'string', max });
const binary = (max: number): Kind => ({ kind: 'binary', max });
const SMALLEST = { u8: 1, u16: 2, u32: 4 } as const;
const HEADER = 4;
const TYPE_MASK = 0x3fff;
/** union nf_inet_addr. */
const ADDRESS_SIZE = 16;

export const COMMAND_POLICY: Policy = {
  [CMD_ATTR.SERVICE]: nested,
  [CMD_ATTR.DEST]: nested,
  [CMD_ATTR.DAEMON]: nested,
  [CMD_ATTR.TIMEOUT_TCP]: u32,
  [CMD_ATTR.TIMEOUT_TCP_FIN]: u32,
  [CMD_ATTR.TIMEOUT_UDP]: u32,
};
export const SERVICE_POLICY: Policy = {
  [SVC_ATTR.AF]: u16,
  [SVC_ATTR.PROTOCOL]: u16,
  [SVC_ATTR.ADDR]: binary(ADDRESS_SIZE),
  [SVC_ATTR.PORT]: u16,
  [SVC_ATTR.FWMARK]: u32,
  [SVC_ATTR.SCHED_NAME]: text(16),
  [SVC_ATTR.PE_NAME]: text(16),
  [SVC_ATTR.FLAGS]: binary(8),
  [SVC_ATTR.TIMEOUT]: u32,
  [SVC_ATTR.NETMASK]: u32,
};
export const DEST_POLICY: Policy = {
  [DEST_ATTR.ADDR]: binary(ADDRESS_SIZE),
  [DEST_ATTR.PORT]: u16,
  [DEST_ATTR.FWD_METHOD]: u32,
  [DEST_ATTR.WEIGHT]: u32,
  [DEST_ATTR.U_THRESH]: u32,
  [DEST_ATTR.L_THRESH]: u32,
  [DEST_ATTR.ADDR_FAMILY]: u16,
  [DEST_ATTR.TUN_TYPE]: u8,
  [DEST_ATTR.TUN_PORT]: u16,
  [DEST_ATTR.TUN_FLAGS]: u16,
};
export const DAEMON_POLICY: Policy = {
  [DAEMON_ATTR.STATE]: u32,
  [DAEMON_ATTR.MCAST_IFN]: text(15),
  [DAEMON_ATTR.SYNC_ID]: u32,
  [DAEMON_ATTR.SYNC_MAXLEN]: u16,
  [DAEMON_ATTR.MCAST_GROUP]: u32,
  [DAEMON_ATTR.MCAST_GROUP6]: binary(ADDRESS_SIZE),
  [DAEMON_ATTR.MCAST_PORT]: u16,
  [DAEMON_ATTR.MCAST_TTL]: u8,
};

/**
 * The attributes of a request. Throws a Refusal with the kernel's words, ERANGE for a wrong length,
 * EINVAL for a string without its end.
 */
export function validated(bytes: Uint8Array, policy: Policy): Attributes {
  let at = 0;
  while (bytes.length - at >= HEADER) {
    const view = viewOf(bytes.subarray(at, at + HEADER));
    const len = view.getUint16(0, HOST_LITTLE);
    if (len < HEADER || len > bytes.length - at) break;
    check(policy[view.getUint16(2, HOST_LITTLE) & TYPE_MASK], bytes.subarray(at + HEADER, at + len));
    at += align(len);
  }
  return new Attributes(bytes.subarray(0, at));
}

/** The attributes inside another one. The kernel's IPVS gives EINVAL for anything wrong there. */
export function validatedNest(bytes: Uint8Array | undefined, policy: Policy, what: string): Attributes {
  if (bytes === undefined) throw new Refusal('EINVAL', `the ${what} is missing`);
  try {
    return validated(bytes, policy);
  } catch (error) {
    throw error instanceof Refusal ? new Refusal('EINVAL', `${what}: ${error.text}`) : error;
  }
}

const FAILED = 'Attribute failed policy validation';

function check(kind: Kind | undefined, value: Uint8Array): void {
  if (kind === undefined) return;
  if (kind.kind === 'nested') {
    if (value.length > 0 && value.length < HEADER) throw new Refusal('ERANGE', FAILED);
  } else if (kind.kind === 'binary') {
    if (value.length > kind.max) throw new Refusal('ERANGE', FAILED);
  } else if (kind.kind === 'string') checkString(value, kind.max);
  else if (value.length < SMALLEST[kind.kind]) throw new Refusal('ERANGE', FAILED);
}

/** NLA_NUL_STRING. */
function checkString(value: Uint8Array, max: number): void {
  const end = value.subarray(0, max + 1).indexOf(0);
  if (end < 0) throw new Refusal(value.length > max ? 'ERANGE' : 'EINVAL', FAILED);
}
