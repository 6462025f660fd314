/** Sends single frames and packets by a device of this host. */
import { close } from '../../sys/libc.js';
import { parseMac } from '../../wire/address.js';
import { type Ends, echo, etherType, frame, reset, syn, tunnelled } from '../frames.js';
import { openWire, sendFrame } from '../send.js';
import type { Plan } from './plan.js';

/** As openWire, for one packet. */
export function sendBy(dev: string, protocol: number, bytes: Uint8Array): void {
  const fd = openWire(dev, protocol);
  try {
    sendFrame(fd, bytes);
  } finally {
    close(fd);
  }
}

export type Kind = 'syn' | 'reset' | 'echo';

/** As the director would send it to the plan's realserver, but from this host. `mac`: the neighbour's. */
export function tell(plan: Plan, mac: string, kind: Kind, seq: number, from = plan.dip): void {
  const packet = kind === 'echo' ? echo({ from, to: plan.rip }, plan.own) : segment(plan, kind, seq, from);
  const type = etherType(plan.rip);
  sendBy(plan.dev, type, frame(parseMac(mac)!, parseMac(plan.mac)!, type, packet));
}

function segment(
  { aim, rip, dip, destination, own }: Plan,
  kind: 'syn' | 'reset',
  seq: number,
  from: string,
): Uint8Array {
  const make = kind === 'syn' ? syn : reset;
  const ends: Ends = { from, to: aim!.address };
  const packet = make(ends, { sport: own, dport: aim!.port }, seq);
  return destination.method === 'ipip' ? tunnelled({ from: dip, to: rip }, packet) : packet;
}
