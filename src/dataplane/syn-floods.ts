/** Measures for each service with a SYN proxy: is it in a SYN flood? (service/syn-proxy.ts) */
import type { VirtualService } from '../service/service.js';
import type { Sysctls } from '../service/sysctl.js';
import { type Counters, Stat } from '../stats/counters.js';

/** Interval of the measurements, in ms. */
const EVERY = 100;

export class SynFloods {
  private readonly services = new Set<VirtualService>();
  private next = 0;
  /** Called when the proxy of a service begins or ends to answer SYNs. */
  onTurn: (service: VirtualService, on: boolean) => void = () => {};

  constructor(private readonly d: { readonly now: number; readonly counters: Counters; readonly sysctl: Sysctls }) {}

  /** Some service has a SYN proxy. */
  get some(): boolean {
    return this.services.size !== 0;
  }

  /** Call after the SYN proxy of a service was set or removed, and after a service was deleted. */
  noteService(service: VirtualService): void {
    if (service.available && service.synProxy !== undefined) this.services.add(service);
    else this.services.delete(service);
  }

  tick(): void {
    const { now } = this.d;
    if (this.services.size === 0 || now < this.next) return;
    this.next = now + EVERY;
    const { counters, sysctl } = this.d;
    for (const service of this.services) {
      const { slot, synProxy } = service;
      if (synProxy === undefined) continue;
      const was = synProxy.isOn;
      synProxy.measure(now, counters.values[counters.serviceRow(slot) + Stat.conns]!, sysctl.tcp_max_syn_backlog);
      if (synProxy.isOn !== was) this.onTurn(service, synProxy.isOn);
    }
  }
}
