/**
 * Finds and creates persistence templates: by the client's network and the service, and by the key
 * that a persistence engine finds in the packet. There is one key at a time: `templateFor` fills
 * it, the other functions use it.
 */

import { findEngineTemplate, setEngineKey, TemplateKey } from '../../conntrack/engine-templates.js';
import { CONN_TEMPLATE, TICKS } from '../../conntrack/entry.js';
import { fillEntry, findTemplate } from '../../conntrack/find-wide.js';
import type { Destination, VirtualService } from '../../service/service.js';
import { maskWord } from '../../wire/address.js';
import type { Director } from '../director.js';
import { destinationOf, flagsFor } from './new-conn.js';

const key = new TemplateKey();
const { caddr, vaddr } = key;

/** Fills the key. Returns false when the service's engine finds no key in the current packet. */
export function templateFor(
  d: Director,
  service: VirtualService,
  client: Int32Array,
  protocol: number,
  virtual: Int32Array,
  vport: number,
): boolean {
  const { packet, umem } = d;
  key.family = packet.family;
  key.protocol = protocol;
  key.vport = vport;
  for (let i = 0; i < 4; i++) {
    caddr[i] = client[i]! & netmaskWord(service, packet.family, i);
    vaddr[i] = virtual[i]!;
  }
  const { engine } = service;
  key.engine = engine === undefined ? 0 : engine.number;
  key.bytes = umem.u8;
  return engine === undefined || engine.find(umem.u8, packet, key);
}

/**
 * Returns the template, or 0. A template that is no longer usable, or not for `only`, is made
 * unreachable.
 */
export function usableTemplate(d: Director, only: Destination | undefined): number {
  const { connections } = d;
  const { table } = connections;
  const template =
    key.engine === 0
      ? findTemplate(table, key.family, key.protocol, caddr, vaddr, key.vport)
      : findEngineTemplate(table, key);
  if (template === 0) return 0;
  const dest = connections.destOf(template);
  const quiesced = dest?.draining === true || (d.sysctl.expire_quiescent_template !== 0 && dest?.weight === 0);
  const other = only !== undefined && dest !== only;
  if (dest?.available && !quiesced && !other && !connections.ended(template)) return template;
  connections.invalidate(template);
  return 0;
}

/** Creates a template for `dest`:`dport`. Returns 0 when the table is full. */
export function openTemplate(d: Director, service: VirtualService, dest: Destination, dport: number): number {
  const { connections } = d;
  const { table } = connections;
  const entry = table.alloc();
  if (entry === 0) return 0;
  const { family, protocol, vport } = key;
  const filled = fillEntry(table, entry, family, protocol, caddr, 0, vaddr, vport, destinationOf(dest), dport) !== 0;
  if (!filled || (key.engine !== 0 && !setEngineKey(table, entry, key))) {
    table.free(entry);
    return 0;
  }
  connections.open(entry, dest, flagsFor(dest, family) | CONN_TEMPLATE);
  connections.setTimeout(entry, service.timeout * TICKS);
  if (d.packet.mark !== 0) connections.sync?.setMark(entry, d.packet.mark);
  return entry;
}

function netmaskWord(service: VirtualService, family: number, i: number): number {
  if (family === 4) return i === 3 ? service.netmask : 0;
  return maskWord(service.netmask, i);
}
