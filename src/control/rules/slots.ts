/** Small integers below a limit, each lent to one tenant at a time. */
export class Slots {
  private readonly free: number[] = [];
  private fresh = 0;

  constructor(private readonly limit: number) {}

  /** A free slot, or undefined when all are lent. */
  take(): number | undefined {
    const used = this.free.pop();
    if (used !== undefined) return used;
    return this.fresh < this.limit ? this.fresh++ : undefined;
  }

  release(slot: number): void {
    this.free.push(slot);
  }
}
