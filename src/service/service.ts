import { SVC_ONEPACKET, SVC_PERSISTENT } from './config.js';
import type { Destination } from './destination.js';
import type { PersistenceEngine } from './persistence-engine.js';
import type { Schedule } from './scheduler.js';
import { defaultSysctls, type Sysctls } from './sysctl.js';

/** A virtual service on the packet path. Address and port are its key, or the fwmark is. */
export class VirtualService {
  family = 4;
  protocol = 0;
  address = 0;
  readonly address6 = new Int32Array(4);
  port = 0;
  fwmark = 0;
  /** SVC_* bits. */
  flags = 0;
  /** Persistence timeout in seconds. */
  timeout = 0;
  /** IPv4: mask as int32; IPv6: prefix length. */
  netmask = -1;
  /** The persistence engine, which may speak for servers even where nothing is persistent. */
  engine: PersistenceEngine | undefined;
  /** False once deleted; its destinations may outlive it in the trash. */
  available = true;
  /** In the kernel's order: newest first. */
  readonly destinations: Destination[] = [];
  /** Name of the scheduler that `schedule` is the work of. */
  scheduler = '';
  schedule!: Schedule;

  /** `settings` holds the sysctls as they are now (a Director does): lblc and lblcr ask for theirs. */
  constructor(
    readonly slot: number,
    readonly settings: { readonly sysctl: Sysctls } = { sysctl: defaultSysctls() },
  ) {}

  get persistent(): boolean {
    return (this.flags & SVC_PERSISTENT) !== 0;
  }
  get onePacket(): boolean {
    return (this.flags & SVC_ONEPACKET) !== 0;
  }

  add(dest: Destination): void {
    this.destinations.unshift(dest);
    this.schedule.destAdded?.(0);
  }
  remove(dest: Destination): void {
    const index = this.destinations.indexOf(dest);
    this.destinations.splice(index, 1);
    this.schedule.destRemoved?.(index);
  }
}
