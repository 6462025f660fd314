/** Records the packets of a replay for `ulvs replay --view`. */
import { recordingPage } from '../../control/console/recording.js';
import type { InProcessDirector } from '../../control/inprocess.js';
import { parseFilter } from '../../control/server/trace-filter.js';
import { counted } from '../../control/text/counted.js';
import { Trace, type TraceRecord } from '../../dataplane/trace/trace.js';
import { packetView } from '../../trace/packet-view.js';

/** Packets in one file: more would make the page slow. */
const MOST = 2000;

export class Recorder {
  private readonly records: TraceRecord[] = [];
  private left = 0;
  private director: InProcessDirector | undefined;

  /** Throws a FilterError. */
  constructor(
    filter: string,
    private readonly dropsOnly: boolean,
  ) {
    this.filter = parseFilter(filter);
  }
  private readonly filter: ReturnType<typeof parseFilter>;

  /** Records from now on what a director does. */
  attach(director: InProcessDirector): void {
    this.director = director;
    const spec = { filter: this.filter, dropsOnly: this.dropsOnly, count: Number.POSITIVE_INFINITY };
    director.director.trace = new Trace(director.director, spec, (record) => this.add(record));
  }

  /** What has been recorded, in words. */
  get text(): string {
    const rest = this.left > 0 ? `; ${this.left} more are left out: choose some by --filter` : '';
    return `${counted(this.records.length, 'packet')}${rest}`;
  }

  /** The HTML file, with the services as they are now. */
  async page(title: string): Promise<string> {
    const reply = await this.director?.request({ op: 'list' });
    const services = reply?.ok ? (reply.services ?? []) : [];
    const devices = this.director?.config.devices.map(({ name, addresses }) => ({ name, addresses })) ?? [];
    const packets = this.records.map((record, i) => ({ ...packetView(record), number: i + 1 }));
    return recordingPage({ title, services, devices, packets, left: this.left });
  }

  private add(record: TraceRecord): void {
    if (this.records.length < MOST) this.records.push(record);
    else this.left++;
  }
}
