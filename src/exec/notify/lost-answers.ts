/**
 * Changes that were done while a signal took the caller out of its call. The kernel starts the call
 * anew after the signal's handler (ERESTARTSYS), or the program does (EINTR). The second call gets
 * the first one's answer, and the change is not done twice.
 */

/** The answer of a change, for as long as nobody has received it. */
interface Answer<T> {
  readonly request: string;
  readonly answer: T;
}

export class LostAnswers<T> {
  private readonly byThread = new Map<number, Answer<T>>();

  /** The answer that the thread did not get to the same request. It is forgotten in any case. */
  take(thread: number, request: string): T | undefined {
    const before = this.byThread.get(thread);
    this.byThread.delete(thread);
    return before?.request === request ? before.answer : undefined;
  }

  keep(thread: number, request: string, answer: T): void {
    this.byThread.set(thread, { request, answer });
    if (this.byThread.size > LIMIT) this.byThread.delete(this.byThread.keys().next().value!);
  }
}

/** Threads that may wait for a lost answer at once; others have ended. */
const LIMIT = 1024;
