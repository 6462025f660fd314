/**
 * One connection to the control socket that blocks its thread: a line out, a line in. The
 * supervisor answers one stopped call at a time and has no event loop while it does.
 */
import { check, close, connect, errno, errnoName, poll, recv, send, socket, uninterrupted } from '../../sys/libc.js';

const AF_UNIX = 1;
const SOCK_STREAM_CLOEXEC = 1 | 0o2000000;
const MSG_NOSIGNAL = 0x4000;
const MSG_DONTWAIT = 0x40;
const POLLIN = 1;
const POLLOUT = 4;
const SUN_PATH = 108;
const NEWLINE = 10;
/** Time, in ms, without data after which a director counts as gone. */
const SILENCE_MS = 10_000;

/** Nobody listens, or the connection has ended. `sent`: the whole request had been sent. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
  constructor(
    message: string,
    readonly sent: boolean,
  ) {
    super(message);
  }
}

/** `ulvs exec` ends: there is nobody left to answer. */
export class Ended extends Error {
  override readonly name = 'Ended';
}

/** What `wait` waits for: input on one of two descriptors. */
const fds = new Int32Array(new ArrayBuffer(16));

/**
 * Waits until a descriptor is ready, at most `ms`; returns whether it is. −1: no descriptor. Throws
 * Ended when `wake` has input.
 */
export function wait(fd: number, events: number, wake: number, ms: number): boolean {
  fds.set([fd, events, wake, POLLIN]);
  const ready = uninterrupted(() => poll(fds, 2, ms));
  if (ready > 0 && fds[3]! >>> 16 !== 0) throw new Ended();
  return ready > 0 && fds[1]! >>> 16 !== 0;
}

export class Connection {
  private readonly chunk = new Uint8Array(new ArrayBuffer(1 << 16));

  private constructor(
    readonly fd: number,
    private readonly wake: number,
  ) {}

  /** Throws a ConnectionLost. `wake`: an eventfd that ends all waiting. */
  static open(path: string, wake: number): Connection {
    const name = new Uint8Array(new ArrayBuffer(2 + SUN_PATH));
    name[0] = AF_UNIX;
    new TextEncoder().encodeInto(path, name.subarray(2, 2 + SUN_PATH - 1));
    const fd = check(socket(AF_UNIX, SOCK_STREAM_CLOEXEC, 0), 'socket');
    if (uninterrupted(() => connect(fd, name, name.length)) >= 0) return new Connection(fd, wake);
    const reason = errnoName(errno());
    close(fd);
    throw new ConnectionLost(reason, false);
  }

  /** The answer to a line, without newlines. Throws a ConnectionLost, or Ended. */
  exchange(line: string): string {
    this.send(Buffer.from(`${line}\n`));
    const parts: Buffer[] = [];
    for (;;) {
      if (!wait(this.fd, POLLIN, this.wake, SILENCE_MS)) throw new ConnectionLost('no answer', true);
      const n = uninterrupted(() => recv(this.fd, this.chunk, this.chunk.length, 0));
      if (n <= 0) throw new ConnectionLost(n < 0 ? errnoName(errno()) : 'the director closed the connection', true);
      parts.push(Buffer.from(this.chunk.subarray(0, n)));
      if (this.chunk[n - 1] === NEWLINE) return Buffer.concat(parts).toString('utf8').trimEnd();
    }
  }

  private send(bytes: Buffer): void {
    const all = new Uint8Array(new ArrayBuffer(bytes.length));
    all.set(bytes);
    for (let at = 0; at < all.length; ) {
      const rest = all.subarray(at);
      const n = uninterrupted(() => send(this.fd, rest, rest.length, MSG_NOSIGNAL | MSG_DONTWAIT));
      if (n > 0) at += n;
      else if (errnoName(errno()) !== 'EAGAIN') throw new ConnectionLost(errnoName(errno()), false);
      else if (!wait(this.fd, POLLOUT, this.wake, SILENCE_MS)) throw new ConnectionLost('no answer', false);
    }
  }

  close(): void {
    close(this.fd);
  }
}
