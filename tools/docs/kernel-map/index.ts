/**
 * The kernel map: the functions of Linux's IPVS, and some around it, with their counterparts in
 * src.
 */
import { AROUND } from './around.js';
import { AH_ESP, APP, CONN, FTP, PE, PE_SIP, PROTO, SCTP, TCP, UDP } from './connections.js';
import { CTL, EST, NFCT, SCHED, SYNC } from './control.js';
import { CORE, XMIT } from './packet-path.js';
import type { MapFile, MapRow } from './parse.js';
import { SCHEDULERS } from './schedulers.js';

/** All files of net/netfilter/ipvs. */
export const IPVS: readonly MapFile[] = [
  ...[CORE, XMIT, CONN, PROTO, TCP, UDP, SCTP, AH_ESP, APP, FTP, PE, PE_SIP, CTL, EST, SCHED],
  ...SCHEDULERS,
  ...[NFCT, SYNC],
];

export const KERNEL_MAP: readonly MapFile[] = [...IPVS, ...AROUND];

export function allRows(): MapRow[] {
  return KERNEL_MAP.flatMap(({ rows }) => rows);
}
