/** Framing of the control socket: lines out of a byte stream. */
import { StringDecoder } from 'node:string_decoder';

/**
 * Splits a stream of chunks into lines; an incomplete line waits for the next chunk, up to a limit.
 */
export class Lines {
  private readonly decoder = new StringDecoder('utf8');
  /** The incomplete line, in pieces that are joined once. */
  private pieces: string[] = [];
  private length = 0;

  /** `limit`: characters of a line without its newline. */
  constructor(private readonly limit: number) {}

  /** Characters of the incomplete line. */
  get pending(): number {
    return this.length;
  }

  /** The lines that are complete now; undefined: a line is over the limit. */
  push(chunk: Buffer): string[] | undefined {
    const [first = '', ...others] = this.decoder.write(chunk).split('\n');
    this.append(first);
    const complete: string[] = [];
    for (const text of others) {
      if (this.length > this.limit) return undefined;
      complete.push(this.pieces.join(''));
      this.pieces = [];
      this.length = 0;
      this.append(text);
    }
    return this.length > this.limit ? undefined : complete;
  }

  private append(text: string): void {
    this.pieces.push(text);
    this.length += text.length;
  }
}
