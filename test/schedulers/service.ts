/** A service with destinations for tests of a scheduler alone. Tests set the loads directly. */
import { schedulerNamed } from '../../src/schedulers/index.js';
import { type Arrival, Destination, VirtualService } from '../../src/service/service.js';
import { defaultSysctls, type Sysctls } from '../../src/service/sysctl.js';
import { Counters, Gauge } from '../../src/stats/counters.js';
import { parse4, parse6 } from '../../src/wire/address.js';

export class Stand {
  readonly service: VirtualService;
  readonly sysctl: Sysctls = defaultSysctls();
  private readonly counters = new Counters();
  private readonly byName = new Map<string, Destination>();
  private slots = 1;

  /**
   * `weights`: of the destinations a, b, c …, in the order in which they are added. As with
   * ipvsadm, the scheduler is set before them.
   */
  constructor(scheduler: string, weights: readonly number[] = []) {
    this.service = new VirtualService(1, this);
    this.change(scheduler);
    weights.forEach((weight, i) => {
      this.add(String.fromCharCode(97 + i), weight);
    });
  }

  change(scheduler: string): void {
    this.service.schedule = schedulerNamed(scheduler)!.bind(this.service);
  }
  /**
   * The address of the N-th name is 192.168.1.N. A destination that was removed and added again is
   * the same one.
   */
  add(name: string, weight: number): Destination {
    const dest = this.byName.get(name) ?? new Destination(this.slots++, this.service, this.counters);
    Object.assign(dest, { available: true, weight, lastWeight: weight, port: 80 });
    dest.address = parse4(`192.168.1.${dest.slot}`)!;
    this.byName.set(name, dest);
    this.service.add(dest);
    return dest;
  }
  dest(name: string): Destination {
    return this.byName.get(name)!;
  }
  edit(name: string, weight: number): void {
    const dest = this.dest(name);
    dest.weight = weight;
    if (weight !== 0) dest.lastWeight = weight;
    this.service.schedule.destUpdated?.(dest);
  }
  remove(name: string): void {
    this.dest(name).available = false;
    this.service.remove(this.dest(name));
  }
  load(name: string, active: number, inactive = 0): void {
    const dest = this.dest(name);
    dest.add(Gauge.active, active - dest.active);
    dest.add(Gauge.inactive, inactive - dest.inactive);
  }
  /** The name of the chosen destination, '-' for none. */
  choose(arrival: Arrival = from('10.0.0.1'), now = 0): string {
    const dest = this.service.schedule.schedule(arrival, now);
    return [...this.byName].find(([, one]) => one === dest)?.[0] ?? '-';
  }
  /** n successive choices. */
  turn(n: number): string {
    return Array.from({ length: n }, () => this.choose()).join('');
  }
}

const NONE = new Int32Array(4);

export function from(src: string, sport = 1024, dst = '10.0.0.100'): Arrival {
  if (src.includes(':'))
    return { family: 6, protocol: 6, src: 0, dst: 0, src6: parse6(src)!, dst6: parse6(dst) ?? NONE, sport, dport: 80 };
  return { family: 4, protocol: 6, src: parse4(src)!, dst: parse4(dst)!, src6: NONE, dst6: NONE, sport, dport: 80 };
}

export function to(dst: string): Arrival {
  return from(dst.includes(':') ? '2001:db8::1' : '10.0.0.1', 1024, dst);
}
