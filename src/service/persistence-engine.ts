/**
 * Interface of persistence engines. An engine names the dialogue of a packet by a run of bytes in
 * its payload (the Call-ID of sip). The bytes and the client's network are the key of a persistence
 * template.
 */

/**
 * What an engine may read; PacketInfo of the dataplane is one. Offsets point into the bytes given
 * with it.
 */
export interface EnginePacket {
  readonly protocol: number;
  /** Offset and length, in bytes, of the transport header and payload. */
  readonly l4: number;
  readonly l4len: number;
  /** The packet is one that an ICMP error quotes; `l4` is not that of the quoted packet. */
  readonly quoted: boolean;
}

/** The bytes that name a dialogue. */
export interface Dialogue {
  /** Offset of the first byte. */
  at: number;
  /** In bytes, 1 to 255. */
  length: number;
}

/** An engine: a file in src/persistence and a line in its index. */
export interface PersistenceEngine {
  readonly name: string;
  /** Its number in templates, 1 to 255. */
  readonly number: number;
  /**
   * A datagram of a masq destination without a connection opens one from the service: a dialogue
   * begun by a server.
   */
  readonly serversMayOpen: boolean;
  /**
   * Fills `dialogue`; false: the packet names none. Called once per connection, allocates nothing.
   */
  find(bytes: Uint8Array, packet: EnginePacket, dialogue: Dialogue): boolean;
}
