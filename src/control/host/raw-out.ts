/** Packets for the host's own routing, where the director has no device of its own: by raw socket, opened when first needed. */
import { RawSender } from '../../device/raw.js';

export class RawOut {
  private sender: RawSender | undefined;
  private broken = false;

  /** `onFailure`: told once, when no raw socket is to be had; the packets are lost then. */
  constructor(private readonly onFailure: (message: string) => void) {}

  send(packet: Uint8Array): void {
    if (this.broken) return;
    try {
      this.sender ??= new RawSender();
      this.sender.send(packet);
    } catch (error) {
      this.broken = true;
      this.onFailure(`${(error as Error).message} (packets by the host's own routes are lost)`);
    }
  }

  close(): void {
    this.sender?.close();
  }
}
