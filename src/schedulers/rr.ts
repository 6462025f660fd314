/**
 * Round robin (ip_vs_rr.c): the next eligible destination after the last one chosen. Fails after
 * one full turn. The cursor is the index of the last choice, −1 before the head. When that
 * destination is removed, the cursor steps back, so that the destination after it is next
 * (ip_vs_rr_del_dest).
 */
import { type Destination, eligible, type Schedule, type Scheduler, type VirtualService } from '../service/service.js';

class RoundRobin implements Schedule {
  private last = -1;

  constructor(private readonly service: VirtualService) {}

  schedule(): Destination | null {
    const dests = this.service.destinations;
    let at = this.last;
    for (let tried = 0; tried < dests.length; tried++) {
      at = at + 1 < dests.length ? at + 1 : 0;
      if (!eligible(dests[at]!)) continue;
      this.last = at;
      return dests[at]!;
    }
    return null;
  }

  destAdded(index: number): void {
    if (this.last >= index) this.last++;
  }
  destRemoved(index: number): void {
    if (this.last >= index) this.last--;
  }
}

export const rr: Scheduler = {
  name: 'rr',
  chooses: 'the next eligible after the one chosen last',
  remembers: true,
  bind: (service) => new RoundRobin(service),
};
