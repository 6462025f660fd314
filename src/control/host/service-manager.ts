/**
 * What the director tells its service manager (sd_notify(3), systemd.service(5) Type=notify):
 *
 *     start ─ READY=1 ─┬─ RELOADING=1 ─ READY=1 ─┬─ STOPPING=1
 *                      └─ WATCHDOG=1, again and again while the dataplane makes turns
 *
 * Without NOTIFY_SOCKET in the environment nothing is told.
 */
import { SystemError } from '../../sys/libc.js';
import { sendDatagram } from '../../sys/unix-datagram.js';

/** Pause, in ms, before a message is sent again to a manager whose queue is full. */
const AGAIN_MS = 100;
/** The shortest period of the watchdog's check, in ms: a worker makes a turn every 50 ms. */
const SHORTEST_MS = 200;

type Environment = Readonly<Record<string, string | undefined>>;

/** What is seen of the dataplane, for the watchdog. */
export interface Turning {
  /** Workers that have made no turn since the last call, by number. */
  idle(): number[];
  /** One line about the director, for `systemctl status`. */
  status(): string;
}

/** The service manager of this process. */
export class ServiceManager {
  private readonly waiting: string[] = [];
  private readonly socket: string | undefined;
  private readonly watchdogMs: number;
  private timer: NodeJS.Timeout | undefined;

  /** `warn` gets one line when the manager cannot be told, or must not be told that all is well. */
  constructor(
    private readonly warn: (message: string) => void,
    environment: Environment = process.env,
  ) {
    const { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID } = environment;
    this.socket = NOTIFY_SOCKET || undefined;
    const isMeant = WATCHDOG_PID === undefined || WATCHDOG_PID === String(process.pid);
    this.watchdogMs = isMeant ? Number(WATCHDOG_USEC ?? 0) / 1000 : 0;
  }

  /** The director forwards, at the start and after a reload. */
  ready(status: string): void {
    this.tell('READY=1', `STATUS=${status}`);
  }

  /** A reload begins; `ready` ends it. */
  reloading(): void {
    const now = process.hrtime.bigint() / 1000n; // CLOCK_MONOTONIC
    this.tell('RELOADING=1', `MONOTONIC_USEC=${now}`, 'STATUS=reading the configuration');
  }

  /** Another process has taken over, and is the service's main process now. */
  succeeded(pid: number): void {
    clearInterval(this.timer);
    this.tell(`MAINPID=${pid}`);
  }

  /** The director ends. */
  stopping(): void {
    clearInterval(this.timer);
    this.tell('STOPPING=1', 'STATUS=removing rules and devices');
  }

  /** Reports from now on, twice a watchdog period, that every worker makes turns. */
  watch(dataplane: Turning): void {
    if (this.socket === undefined || !(this.watchdogMs > 0)) return;
    let stuck = '';
    const look = () => {
      const idle = dataplane.idle().join(', ');
      if (idle === '') this.tell('WATCHDOG=1', `STATUS=${dataplane.status()}`);
      else if (idle !== stuck) this.warn(`worker ${idle} makes no turns: the watchdog gets no answer`);
      stuck = idle;
    };
    look();
    this.timer = setInterval(look, Math.max(SHORTEST_MS, this.watchdogMs / 2));
  }

  private tell(...lines: readonly string[]): void {
    if (this.socket === undefined) return;
    this.waiting.push(lines.join('\n'));
    if (this.waiting.length === 1) this.flush(this.socket);
  }

  /** Sends what waits, in order. The manager is never waited for. */
  private flush(socket: string): void {
    for (; this.waiting.length > 0; this.waiting.shift()) {
      try {
        sendDatagram(socket, this.waiting[0]!);
      } catch (error) {
        if (error instanceof SystemError && error.code === 'EAGAIN') {
          setTimeout(() => this.flush(socket), AGAIN_MS).unref();
          return;
        }
        this.warn(`the service manager cannot be told: ${(error as Error).message}`);
      }
    }
  }
}
