/**
 * Allocator of slots: small integers from 0 on, below a limit. The slot released last is reused
 * first.
 */
export class Slots {
  private readonly released: number[] = [];
  private fresh = 0;

  constructor(private readonly limit: number) {}

  /** No slot from here on was ever used. */
  get high(): number {
    return this.fresh;
  }
  /** Number of free slots. */
  get free(): number {
    return this.limit - this.fresh + this.released.length;
  }

  /** A free slot; undefined: all are in use. */
  allocate(): number | undefined {
    const used = this.released.pop();
    if (used !== undefined) return used;
    return this.fresh < this.limit ? this.fresh++ : undefined;
  }

  /** Frees a slot. */
  release(slot: number): void {
    this.released.push(slot);
  }

  /** Makes exactly these slots used. */
  restore(used: ReadonlySet<number>): void {
    this.fresh = 0;
    for (const slot of used) this.fresh = Math.max(this.fresh, slot + 1);
    this.released.length = 0;
    for (let slot = this.fresh - 1; slot >= 0; slot--) if (!used.has(slot)) this.released.push(slot);
  }
}

/** Slots with reference counts: a slot is free again after the last release. */
export class CountedSlots {
  private readonly slots: Slots;
  /** By slot; 0: it is free. */
  private readonly references: number[] = [];

  constructor(limit: number) {
    this.slots = new Slots(limit);
  }

  /** A free slot with one reference; undefined: all are in use. */
  allocate(): number | undefined {
    const slot = this.slots.allocate();
    if (slot !== undefined) this.references[slot] = 1;
    return slot;
  }

  /** Makes exactly these slots used, with their references. */
  restore(references: ReadonlyMap<number, number>): void {
    this.slots.restore(new Set(references.keys()));
    this.references.length = 0;
    for (let slot = 0; slot < this.high; slot++) this.references.push(references.get(slot) ?? 0);
  }

  /** No slot from here on was ever used. */
  get high(): number {
    return this.slots.high;
  }
  /** Number of free slots. */
  get free(): number {
    return this.slots.free;
  }

  addReference(slot: number): void {
    this.references[slot]!++;
  }

  /** Drops a reference. True: it was the last one, and the slot is free. */
  release(slot: number): boolean {
    if (--this.references[slot]! > 0) return false;
    this.slots.release(slot);
    return true;
  }
}
