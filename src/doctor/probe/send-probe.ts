/** Sends a probe to a realserver. */
import { close } from '../../sys/libc.js';
import { parseMac } from '../../wire/address.js';
import { type Ends, echo, etherType, frame, reset, syn, tunnelled } from '../frames.js';
import { openWire, sendFrame } from '../packet-socket.js';
import type { Plan } from './plan.js';

/** Sends one packet or frame on the device; `protocol` as for openWire. Throws a SystemError. */
export function sendBy(dev: string, protocol: number, bytes: Uint8Array): void {
  const fd = openWire(dev, protocol);
  try {
    sendFrame(fd, bytes);
  } finally {
    close(fd);
  }
}

export type Kind = 'syn' | 'reset' | 'echo';

/**
 * Sends the packet that the director would send to the plan's realserver, from this machine's
 * address unless `from` names another. `mac` is the neighbour's.
 */
export function sendProbe(plan: Plan, mac: string, kind: Kind, seq: number, from = plan.dip): void {
  const packet = kind === 'echo' ? echo({ from, to: plan.rip }, plan.sport) : segment(plan, kind, seq, from);
  const type = etherType(plan.rip);
  sendBy(plan.dev, type, frame(parseMac(mac)!, parseMac(plan.mac)!, type, packet));
}

function segment(
  { target, rip, dip, destination, sport }: Plan,
  kind: 'syn' | 'reset',
  seq: number,
  from: string,
): Uint8Array {
  const make = kind === 'syn' ? syn : reset;
  const ends: Ends = { from, to: target!.address };
  const packet = make(ends, { sport, dport: target!.port }, seq);
  return destination.method === 'ipip' ? tunnelled({ from: dip, to: rip }, packet) : packet;
}
