/**
 * Warnings about single addresses. Thousands of rules may come at once, in many batches: the log
 * names the first addresses, and one line afterwards says how many more there are.
 *
 *     address ─► one of the first NAMED? ─ yes ─► a line
 *                                  └─ no ─► counted ─ QUIET_MS without another ─► a line about all of them
 */
import { counted } from '../text/counted.js';

/** Addresses that have a line of their own, until the next pause. */
const NAMED = 8;
/** A pause, ms. */
const QUIET_MS = 500;

export class AddressWarnings {
  /** Since the last pause. */
  private named = 0;
  private counted = 0;
  private last = '';
  private pause: NodeJS.Timeout | undefined;

  /**
   * `warning`: the line about one address. `noun` and `clause`: what the addresses are, as in
   * `VIP`, `without a route`.
   */
  constructor(
    private readonly warn: (line: string) => void,
    private readonly warning: (address: string) => string,
    private readonly noun: string,
    private readonly clause: string,
  ) {}

  add(addresses: readonly string[]): void {
    if (addresses.length === 0) return;
    const first = addresses.slice(0, NAMED - this.named);
    for (const address of first) this.warn(this.warning(address));
    this.named += first.length;
    this.counted += addresses.length - first.length;
    this.last = addresses.at(-1)!;
    this.pause ??= setTimeout(() => this.end(), QUIET_MS).unref();
    this.pause.refresh();
  }

  /** Says now what was only counted. */
  end(): void {
    clearTimeout(this.pause);
    this.pause = undefined;
    if (this.counted > 0) this.warn(this.rest());
    this.named = 0;
    this.counted = 0;
  }

  private rest(): string {
    const more = counted(this.counted, `more ${this.noun}`);
    return `there ${this.counted === 1 ? 'is' : 'are'} ${more} ${this.clause}, the last is ${this.last}`;
  }
}
