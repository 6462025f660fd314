/** Puts the options of services (key serviceOptions) into force, in one worker. */
import { TICKS } from '../../conntrack/entry.js';
import type { Director } from '../../dataplane/director.js';
import { keyText } from '../../service/config.js';
import type { IdleTimes, SynProxyMode } from '../../service/options.js';
import type { VirtualService } from '../../service/service.js';
import { SynProxy } from '../../service/syn-proxy.js';
import type { Settings } from '../config/director-config.js';

/** Replaces the options of all services. */
export function serviceOptions(d: Director, all: Settings['serviceOptions']): void {
  d.options = new Map(all.map(({ service, ...options }) => [keyText(service), options]));
  if (all.length > 0) d.endConns.useOptions();
  for (const service of d.services.all()) setOptions(d, service);
}

/** Gives a service its options. */
export function setOptions(d: Director, service: VirtualService): void {
  const options = d.options.get(service.key);
  service.idle = options && idleOf(options.idle);
  service.resetIdle = options?.resetIdle === true;
  service.resetRemoved = options?.resetRemoved === true;
  service.rescheduleUdp = options?.rescheduleUdp === true;
  setSynProxy(service, options?.synproxy ?? 'off');
  d.synFloods.noteService(service);
}

/** A proxy whose mode stays goes on as it is. */
function setSynProxy(service: VirtualService, mode: SynProxyMode): void {
  if (mode === 'off') service.synProxy = undefined;
  else if (service.synProxy?.mode !== mode) service.synProxy = new SynProxy(mode);
}

function idleOf({ tcp, tcpfin, udp }: IdleTimes): VirtualService['idle'] {
  const some = [tcp, tcpfin, udp].filter((seconds) => seconds > 0);
  if (some.length === 0) return undefined;
  return { tcp: tcp * TICKS, tcpfin: tcpfin * TICKS, udp: udp * TICKS, shortest: Math.min(...some) * TICKS };
}
