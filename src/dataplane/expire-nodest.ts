/**
 * sysctl expire_nodest_conn: when a destination is removed, its connections end at once
 * (ip_vs_expire_nodest_conn_flush), not with their next packet. The table is walked in small steps.
 */

import type { Connections } from '../conntrack/connections.js';
import { CONN_HASHED, CONN_REVERSE, ENTRY_SHIFT, FLAGS } from '../conntrack/entry.js';
import type { Sysctls } from '../service/sysctl.js';

const BUDGET = 2048;

export class ExpireNodest {
  /** The next entry to examine, 0 when there is nothing to do. */
  private at = 0;
  /** A destination was removed during the walk: start once more. */
  private again = false;

  constructor(private readonly d: { readonly connections: Connections; readonly sysctl: Sysctls }) {}

  /** Call after a destination was removed. */
  noteRemoval(): void {
    if (this.d.sysctl.expire_nodest_conn === 0) return;
    if (this.at === 0) this.at = 1;
    else this.again = true;
  }

  tick(): void {
    if (this.at === 0) return;
    const { table } = this.d.connections;
    const end = Math.min(table.highWater, this.at + BUDGET - 1);
    for (; this.at <= end; this.at++) this.look(this.at);
    if (this.at <= table.highWater) return;
    this.at = this.again ? 1 : 0;
    this.again = false;
  }

  private look(entry: number): void {
    const { connections } = this.d;
    const flags = connections.words[(entry << ENTRY_SHIFT) + FLAGS]!;
    if ((flags & (CONN_HASHED | CONN_REVERSE)) !== CONN_HASHED || connections.childrenOf(entry) !== 0) return;
    if (connections.destOf(entry)?.available !== false) return;
    const parent = connections.parentOf(entry);
    connections.remove(entry);
    // Its template is before it in the table and still had a child when it was examined.
    if (parent !== 0 && parent < entry) this.look(parent);
  }
}
