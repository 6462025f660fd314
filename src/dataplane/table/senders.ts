/**
 * Destinations by the packets that they send, or that are sent about them:
 *
 *     masqSources     address, protocol, port (0: any)      replies of masq destinations
 *     tunnels         address, TunnelKind, port of GUE      ICMP errors about IPv4 tunnels
 *
 * One realserver may be the destination of many services. A key then belongs to all of these
 * destinations, and a look-up finds one of them.
 */
import { type Destination, Method, TunnelKind } from '../../service/service.js';
import { SharedAddressIndex } from '../../service/shared-address-index.js';
import { TCP } from '../../wire/ipv4.js';

const FTP = 21;
/**
 * Key in `masqSources` in place of the protocol, with port 0: a destination of an fwmark service.
 * No protocol has this number.
 */
export const MARKED_SOURCE = 256;

/** Stores or removes one key of a destination. */
type Change = (index: SharedAddressIndex, dest: Destination, protocol: number, port: number) => void;

const store: Change = (index, dest, protocol, port) => {
  const { family, address, address6: a } = dest;
  if (family === 4) index.add(0, 0, 0, address, protocol, port, dest.slot);
  else index.add(a[0]!, a[1]!, a[2]!, a[3]!, protocol, port, dest.slot);
};
const erase: Change = (index, dest, protocol, port) => {
  const { family, address, address6: a } = dest;
  if (family === 4) index.remove(0, 0, 0, address, protocol, port, dest.slot);
  else index.remove(a[0]!, a[1]!, a[2]!, a[3]!, protocol, port, dest.slot);
};

export class Senders {
  readonly masqSources = new SharedAddressIndex();
  readonly tunnels = new SharedAddressIndex();

  /** `helperPorts`: ports of FTP control connections besides 21. */
  add(dest: Destination, helperPorts: readonly number[]): void {
    this.change(dest, helperPorts, store);
  }
  /** The destination and `helperPorts` are as they were when it was added. */
  remove(dest: Destination, helperPorts: readonly number[]): void {
    this.change(dest, helperPorts, erase);
  }

  private change(dest: Destination, helperPorts: readonly number[], change: Change): void {
    if (dest.method === Method.masq) this.changeSource(dest, helperPorts, change);
    else if (dest.method === Method.ipip && dest.family === 4)
      change(this.tunnels, dest, dest.tunnelKind, dest.tunnelKind === TunnelKind.gue ? dest.tunnelPort : 0);
  }

  private changeSource(dest: Destination, helperPorts: readonly number[], change: Change): void {
    const { fwmark, port } = dest.service;
    const protocol = fwmark !== 0 ? 0 : dest.service.protocol;
    change(this.masqSources, dest, protocol, dest.port);
    if (fwmark !== 0) change(this.masqSources, dest, MARKED_SOURCE, 0);
    // FTP's data connections come from other ports.
    if (protocol === TCP && (port === FTP || helperPorts.includes(port)) && dest.port !== 0)
      change(this.masqSources, dest, protocol, 0);
  }
}
