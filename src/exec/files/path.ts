/**
 * Files of IPVS in /proc, by path: /proc/net/ip_vs* (also by a process's own net folder) and
 * /proc/sys/net/ipv4/vs/*.
 */
import { isProcName, type ProcName } from '../../proc/text.js';
import { isSysctlName, type SysctlName } from '../../service/sysctl.js';

export type IpvsFile =
  | { readonly kind: 'text'; readonly name: ProcName }
  | { readonly kind: 'sysctl'; readonly name: SysctlName };

const NET = /^\/proc\/(?:(?:self|thread-self|\d+)\/)?net\/(ip_vs\w*)$/;
const SYSCTL = /^\/proc\/sys\/net\/ipv4\/vs\/(\w+)$/;

/** The file; undefined: the path is not one of IPVS, and the kernel opens it. */
export function ipvsFile(path: string): IpvsFile | undefined {
  const name = NET.exec(path)?.[1];
  if (name !== undefined) return isProcName(name) ? { kind: 'text', name } : undefined;
  const sysctl = SYSCTL.exec(path)?.[1];
  // The kernel has both numbers of the threshold in one file.
  if (sysctl === undefined || !isSysctlName(sysctl) || sysctl === 'sync_period') return undefined;
  return { kind: 'sysctl', name: sysctl };
}
