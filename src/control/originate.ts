/** Packets for the host's own routing, where the director has no device of its own: by raw socket, opened when first needed. */
import { RawSender } from '../device/raw.js';

export class Originator {
  private sender: RawSender | undefined;

  send(packet: Uint8Array): void {
    this.sender ??= new RawSender();
    this.sender.send(packet);
  }

  close(): void {
    this.sender?.close();
  }
}
