/**
 * Sends packets by the routing of the host, where the director has no device of its own. The raw
 * socket is opened for the first packet.
 */
import { RawSender } from '../../device/raw.js';

/** The raw socket. */
export class RawOut {
  private sender: RawSender | undefined;
  private broken = false;

  /**
   * `onFailure` gets one line when a raw socket is not available; packets are lost from then on.
   */
  constructor(private readonly onFailure: (message: string) => void) {}

  /** Sends an IP packet. */
  send(packet: Uint8Array): void {
    if (this.broken) return;
    try {
      this.sender ??= new RawSender();
      this.sender.send(packet);
    } catch (error) {
      this.broken = true;
      this.onFailure(`${(error as Error).message} (packets by the routes of the host are lost)`);
    }
  }

  close(): void {
    this.sender?.close();
  }
}
