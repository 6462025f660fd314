/**
 * How much of a client decides to which worker its packets go: as much as the services allow. Connections that must meet
 * (of one client, of one network of clients) are in one worker.
 *
 *     nothing of the kind                          address and port
 *     persistence, FTP's helper                    the address
 *     persistence with a netmask                   the network
 *     persistence by Call-ID                       nothing: one worker has them all
 */
import { FINEST, type SteeringStage } from '../../dataplane/workers/steering.js';
import { familyOf, isFwmark, type ServiceConfig, SVC_PERSISTENT, TCP } from '../../service/config.js';
import { isFtp } from '../rules/ftp-ports.js';

const ADDRESS: SteeringStage = { ...FINEST, ports: false };

export class SteeringKey {
  private stages: readonly SteeringStage[] = [FINEST];

  /**
   * The stages from now on; undefined when they stay as they are. `live`: there are connections, which keep their workers: then
   * it can only become coarser, and the finer stages stay in force for them.
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

/** Data connections come from other ports of the client. What a mark stands for cannot be known: it may be FTP. */
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
