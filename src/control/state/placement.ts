/**
 * Which worker gets a connection of a former process. With the same number of workers it stays
 * where it was. Otherwise the steering of the new workers decides (dataplane/workers/steering.ts):
 *
 *     the client ─► worker 1, and the port of full NAT ─► worker 0 ─► a stage with shift 1: replies ask worker 1 first
 */
import { caddrAt } from '../../conntrack/describe.js';
import { CONN_FULLNAT, CONN_IPV6, DADDR, ENTRY_SHIFT, FLAGS, PORTS, WIDE_CADDR } from '../../conntrack/entry.js';
import { type SteeringStage, workerOf } from '../../dataplane/workers/steering.js';
import type { ServiceConfig } from '../../service/config.js';
import { SteeringKey } from '../engine/steering-key.js';

/** How the former process shared clients, and what the services need. */
export interface FormerSteering {
  readonly secret: readonly number[];
  readonly stages: readonly SteeringStage[] | undefined;
  readonly services: readonly ServiceConfig[];
  /** Ports of the FTP helper. */
  readonly ftp: readonly number[];
}

/** Gives each connection its worker. */
export class Placement {
  private readonly stage: SteeringStage;
  private readonly client = new Int32Array(5);
  private readonly shifts = new Set<number>();

  /** `former`, `count`: numbers of workers. */
  constructor(
    private readonly former: number,
    private readonly count: number,
    private readonly steering: FormerSteering,
  ) {
    const key = new SteeringKey(steering.stages);
    key.update(steering.services, steering.ftp, true);
    const { shift, ...last } = key.stages.at(-1)!;
    this.stage = last;
  }

  /** As OwnerOf of transfer.ts. */
  ownerOf = (words: Int32Array, entry: number, former: number): number => {
    if (this.former === this.count) return former;
    if (this.count === 1) return 0;
    const at = entry << ENTRY_SHIFT;
    const flags = words[at + FLAGS]!;
    this.readClient(words, at, flags);
    const { stage, client, count, steering } = this;
    const owner = workerOf(client, stage, (flags & CONN_IPV6) !== 0 ? 6 : 4, count, steering.secret);
    if ((flags & CONN_FULLNAT) !== 0) this.noteShift(owner, words[(words[at + DADDR]! << ENTRY_SHIFT) + PORTS]! >>> 16);
    return owner;
  };

  /** The stages that find the connections; undefined: those of the former process. */
  get stages(): readonly SteeringStage[] | undefined {
    if (this.former === this.count || this.count === 1) return undefined;
    return [...[...this.shifts].map((shift) => ({ ...this.stage, shift })), this.stage];
  }

  private readClient(words: Int32Array, at: number, flags: number): void {
    const { client } = this;
    const wide = words[at + DADDR]! << ENTRY_SHIFT;
    const isWide = (flags & CONN_IPV6) !== 0;
    for (let i = 0; i < 4; i++) client[i] = isWide ? words[wide + WIDE_CADDR + i]! : 0;
    if (!isWide) client[3] = words[caddrAt(words, at, flags)]!;
    client[4] = words[at + PORTS]! >>> 16;
  }

  private noteShift(owner: number, port: number): void {
    const shift = (owner - (port % this.count) + this.count) % this.count;
    if (shift !== 0) this.shifts.add(shift);
  }
}
