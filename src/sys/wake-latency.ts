/**
 * How long the CPUs of this machine may take to wake up when they have nothing to do
 * (/dev/cpu_dma_latency, Documentation/power/pm_qos_interface.rst). With 0 they poll instead of
 * sleeping. The request ends with the process.
 */
import { close, errno, errnoName, open, write } from './libc.js';

export const WAKE_LATENCY = '/dev/cpu_dma_latency';
const O_WRONLY_CLOEXEC = 0o2000001;
/** In µs, struct pm_qos_request: none, and PM_QOS_CPU_LATENCY_DEFAULT_VALUE. */
const NONE = new Uint8Array(Int32Array.of(0).buffer);
const ANY = new Uint8Array(Int32Array.of(2_000_000_000).buffer);

/** A request of the calling process, for all CPUs of the machine. */
export class WakeLatency {
  private constructor(private readonly fd: number) {}

  /** Asks for nothing yet. Returns the name of the errno where the process may not ask. */
  static open(): WakeLatency | string {
    const fd = open(WAKE_LATENCY, O_WRONLY_CLOEXEC, 0);
    return fd < 0 ? errnoName(errno()) : new WakeLatency(fd);
  }

  /** No CPU sleeps from now on; false: they may. */
  keepAwake(awake: boolean): void {
    write(this.fd, awake ? NONE : ANY, NONE.length);
  }

  close(): void {
    close(this.fd);
  }
}
