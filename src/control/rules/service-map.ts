/**
 * Values by the key of a service. The key that was asked for last is not looked up again when it is
 * the same object: destinations that follow each other in a batch name their service so, and the
 * text of its key for each of them takes longer than all else.
 */
import { keyText, type ServiceKey } from '../../service/config.js';

export class ServiceMap<T> {
  /** By keyText. */
  private readonly byText = new Map<string, T>();
  private lastKey: ServiceKey | undefined;
  private last: T | undefined;

  get size(): number {
    return this.byText.size;
  }

  get(key: ServiceKey): T | undefined {
    if (key !== this.lastKey) {
      this.last = this.byText.get(keyText(key));
      this.lastKey = key;
    }
    return this.last;
  }

  set(key: ServiceKey, value: T): void {
    this.byText.set(keyText(key), value);
    this.lastKey = undefined;
  }

  delete(key: ServiceKey): void {
    this.byText.delete(keyText(key));
    this.lastKey = undefined;
  }

  /** Oldest first. */
  values(): IterableIterator<T> {
    return this.byText.values();
  }
}
