/** Sockets of the synchronisation daemons on a live host: node:dgram, with sys/multicast.ts. */
import { createSocket, type Socket } from 'node:dgram';
import { interfaceMtu } from '../../sys/interface.js';
import { close, ifNameToIndex } from '../../sys/libc.js';
import { type MulticastGroup, multicastReceiver, multicastSender } from '../../sys/multicast.js';
import { format4, format6, isIPv6, parse4, parse6 } from '../../wire/address.js';
import type { SyncDaemon } from './daemon.js';
import type { OnDatagram, SyncLimits, SyncNet, SyncSockets } from './net.js';

/** In ms. */
const COMPLAIN_EVERY = 60_000;

export class UdpNet implements SyncNet {
  private complained = Number.NEGATIVE_INFINITY;

  /** `warn`: a line for the log, when a socket fails while it is in use. */
  constructor(private readonly warn: (message: string) => void) {}

  mtu(name: string): number | undefined {
    return ifNameToIndex(name) === 0 ? undefined : interfaceMtu(name);
  }

  sender(daemon: SyncDaemon, _ports: number, { socketSize, queue }: SyncLimits): SyncSockets {
    const { fd, from } = multicastSender(groupOf(daemon, daemon.port, socketSize), daemon.ttl);
    const socket = this.wrap(daemon, fd);
    let waiting = 0;
    const send = (bytes: Uint8Array, index: number): boolean => {
      if (waiting >= queue) return false;
      waiting++;
      socket.send(bytes, daemon.port + index, daemon.group, (error) => {
        waiting--;
        if (error !== null) this.complain(daemon, error);
      });
      return true;
    };
    return { from: textOf(from), send, isStale: staleness(daemon), close: () => void socket.close() };
  }

  receiver(daemon: SyncDaemon, ports: number, { socketSize }: SyncLimits, onDatagram: OnDatagram): SyncSockets {
    const fds: number[] = [];
    try {
      for (let i = 0; i < ports; i++) fds.push(multicastReceiver(groupOf(daemon, daemon.port + i, socketSize)));
    } catch (error) {
      for (const fd of fds) close(fd);
      throw error;
    }
    const sockets = fds.map((fd) => {
      const socket = this.wrap(daemon, fd);
      socket.on('message', (bytes, { address }) => onDatagram(bytes, address.split('%')[0]!));
      return socket;
    });
    const end = () => {
      for (const socket of sockets) socket.close();
    };
    return { from: '', send: () => false, isStale: staleness(daemon), close: end };
  }

  /** An interface that is down fails each message: one line a minute is enough. */
  private complain({ interface: name, role }: SyncDaemon, { message }: Error): void {
    if (performance.now() - this.complained < COMPLAIN_EVERY) return;
    this.complained = performance.now();
    this.warn(`synchronisation ${role} on ${name}: ${message}`);
  }

  private wrap(daemon: SyncDaemon, fd: number): Socket {
    const socket = createSocket(isIPv6(daemon.group) ? 'udp6' : 'udp4');
    socket.on('error', (error) => this.complain(daemon, error));
    socket.bind({ fd, exclusive: true });
    return socket;
  }
}

/** Tells whether the interface is another one by now than when its sockets were made. */
function staleness({ interface: name }: SyncDaemon): () => boolean {
  const index = ifNameToIndex(name);
  return () => {
    const now = ifNameToIndex(name);
    return now !== 0 && now !== index;
  };
}

function groupOf(daemon: SyncDaemon, port: number, buffer: number): MulticastGroup {
  const words = isIPv6(daemon.group) ? parse6(daemon.group)! : Int32Array.of(parse4(daemon.group)!);
  return { interface: daemon.interface, words, port, buffer };
}

function textOf(address: Uint8Array): string {
  const view = new DataView(address.buffer, address.byteOffset, address.length);
  if (address.length === 4) return format4(view.getInt32(0));
  return format6(Int32Array.from({ length: 4 }, (_, i) => view.getInt32(i * 4)));
}
