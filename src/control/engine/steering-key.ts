/**
 * The steering key: the parts of a client's address that decide which worker owns the client. It
 * has as many parts as the services allow. Connections that must meet (of one client, of one
 * network of clients) are in one worker.
 *
 *     service                                      key
 *     without the following                        address and port
 *     persistence, FTP helper                      the address
 *     persistence with a netmask                   the network
 *     persistence by Call-ID                       nothing: one worker has all clients
 */
import { FINEST, type SteeringStage } from '../../dataplane/workers/steering.js';
import { familyOf, isFwmark, type ServiceConfig, SVC_PERSISTENT, TCP } from '../../service/config.js';
import { isFtp } from '../rules/ftp-ports.js';

const ADDRESS: SteeringStage = { ...FINEST, ports: false };

/** The steering key of the present services, and of the connections that exist. */
export class SteeringKey {
  /** `stages`: those by which the workers of a former process shared clients. */
  constructor(public stages: readonly SteeringStage[] = [FINEST]) {}

  /**
   * The new stages; undefined: no change. With connections (`live`), which keep their workers, the
   * key can only become coarser, and the finer stages stay in force for them. `ftp`: ports of the
   * helper.
   */
  update(
    services: readonly ServiceConfig[],
    ftp: readonly number[],
    live: boolean,
  ): readonly SteeringStage[] | undefined {
    const wanted = services.map((service) => stageOf(service, ftp)).reduce(coarser, FINEST);
    const last = this.stages.at(-1)!;
    const next = live ? coarser(last, wanted) : wanted;
    if (isSame(next, last) && (live || this.stages.length === 1)) return undefined;
    this.stages = live ? [...this.stages, next] : [next];
    return this.stages;
  }
}

function stageOf({ key, flags, netmask, pe }: ServiceConfig, ftp: readonly number[]): SteeringStage {
  if ((flags & SVC_PERSISTENT) === 0) return hasHelper(key, ftp) ? ADDRESS : FINEST;
  if (familyOf(key) === 4) return { ...ADDRESS, mask4: pe === '' ? netmask | 0 : 0 };
  return { ...ADDRESS, prefix6: pe === '' ? netmask : 0 };
}

/** FTP data connections have other ports of the client. A fwmark service may be FTP. */
function hasHelper(key: ServiceConfig['key'], ftp: readonly number[]): boolean {
  if (isFwmark(key)) return ftp.length > 0;
  return isFtp(key, ftp) || (key.protocol === TCP && key.port === 0);
}

function coarser(a: SteeringStage, b: SteeringStage): SteeringStage {
  return { ports: a.ports && b.ports, mask4: a.mask4 & b.mask4, prefix6: Math.min(a.prefix6, b.prefix6) };
}

function isSame(a: SteeringStage, b: SteeringStage): boolean {
  return a.ports === b.ports && a.mask4 === b.mask4 && a.prefix6 === b.prefix6;
}
