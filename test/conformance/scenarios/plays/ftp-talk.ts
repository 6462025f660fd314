/**
 * A control connection of FTP and its data connections, as both ends send them. Each end counts in
 * its own sequence space. The number of bytes that the director adds to the server's text is
 * `shift`. It is in the acknowledgements of the client, never in those of the server.
 *
 *     client ── cseq, acks sseq + shift ──► director ── acks sseq ──► server ── sseq, acks cseq ──►
 */
import type { Packet } from '../../../support/packet.js';
import type { TcpWords } from '../../../support/packet-words.js';
import { ip, type Play } from '../stage.js';

export interface Ends {
  readonly client: string;
  readonly vip: string;
  readonly server: string;
}
type Words = Partial<TcpWords> & { readonly data?: string; readonly df?: boolean };

/** One segment from the client to the virtual address, or from the server to the client. */
export function segment(play: Play, from: string, to: string, sport: number, dport: number, words: Words): void {
  const { data = '', df = true, ...rest } = words;
  play.from(from, (eth) =>
    text(
      ip(eth, from, to, from.includes(':') ? {} : { df }).tcp({ sport, dport, flags: 'A', seq: 1, ack: 1, ...rest }),
      data,
    ),
  );
}
function text(segment: Packet, data: string): Packet {
  return data === '' ? segment : segment.payload(new TextEncoder().encode(data));
}

export class Talk {
  cseq = 1000;
  sseq = 5000;
  shift = 0;

  constructor(
    readonly play: Play,
    readonly ends: Ends,
    readonly cport: number,
    readonly vport = 21,
    readonly dport = vport,
  ) {}

  fromClient(words: Words): void {
    const { client, vip } = this.ends;
    const numbers = { seq: this.cseq, ack: this.sseq + this.shift };
    segment(this.play, client, vip, this.cport, this.vport, { ...numbers, ...words });
  }
  fromServer(words: Words): void {
    const { client, server } = this.ends;
    segment(this.play, server, client, this.dport, this.cport, { seq: this.sseq, ack: this.cseq, ...words });
  }

  open(): this {
    this.fromClient({ flags: 'S', ack: 0 });
    this.cseq++;
    this.fromServer({ flags: 'SA' });
    this.sseq++;
    this.fromClient({ flags: 'A' });
    return this;
  }
  /** The client's line, acknowledged. */
  say(data: string): void {
    this.fromClient({ flags: 'PA', data });
    this.cseq += data.length;
    this.fromServer({});
  }
  /** The server's line, acknowledged; it arrives `grown` bytes longer than it was sent. */
  answer(data: string, grown = 0, words: Words = {}): void {
    this.fromServer({ flags: 'PA', data, ...words });
    this.sseq += data.length;
    this.shift += grown;
    this.fromClient({});
  }
  close(): void {
    this.fromClient({ flags: 'FA' });
    this.cseq++;
    this.fromServer({ flags: 'FA' });
    this.sseq++;
    this.fromClient({});
  }

  /** The client fetches from `vport`; `dport` of `server` answers. */
  passive(cport: number, port: number, server = this.ends.server, close = true): void {
    const { client, vip } = this.ends;
    const c = (words: Words) => segment(this.play, client, vip, cport, port, words);
    const s = (words: Words) => segment(this.play, server, client, port, cport, words);
    c({ flags: 'S', seq: 100, ack: 0 });
    s({ flags: 'SA', seq: 200, ack: 101 });
    c({ seq: 101, ack: 201 });
    s({ flags: 'PA', seq: 201, ack: 101, data: 'a file\r\n' });
    c({ seq: 101, ack: 209 });
    if (!close) return;
    s({ flags: 'FA', seq: 209, ack: 101 });
    c({ flags: 'FA', seq: 101, ack: 210 });
    s({ seq: 210, ack: 102 });
  }
  /** The server calls the client at `cport`, from one below its control port. */
  active(cport: number, client = this.ends.client): void {
    const { vip, server } = this.ends;
    const s = (words: Words) => segment(this.play, server, client, this.dport - 1, cport, words);
    const c = (words: Words) => segment(this.play, client, vip, cport, this.vport - 1, words);
    s({ flags: 'S', seq: 200, ack: 0 });
    c({ flags: 'SA', seq: 100, ack: 201 });
    s({ seq: 201, ack: 101 });
    s({ flags: 'PA', seq: 201, ack: 101, data: 'a file\r\n' });
    c({ seq: 101, ack: 209 });
    s({ flags: 'FA', seq: 209, ack: 101 });
    c({ flags: 'FA', seq: 101, ack: 210 });
    s({ seq: 210, ack: 102 });
  }
}
