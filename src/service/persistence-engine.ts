/**
 * A persistence engine says what a packet belongs to by its contents: a run of bytes (the Call-ID of sip) that makes the
 * key of a persistence template together with the client's network.
 */

/** What an engine may look at; PacketInfo of the dataplane is one. Offsets as there, into the bytes given with it. */
export interface EnginePacket {
  readonly protocol: number;
  /** Offset and length of the transport header and all that follows it. */
  readonly l4: number;
  readonly l4len: number;
  /** What an ICMP error quotes: `l4` is not the quoted packet's. */
  readonly quoted: boolean;
}

/** Where the bytes are that name the dialogue. */
export interface Dialogue {
  at: number;
  /** 1 to 255. */
  length: number;
}

/** One file each in src/engines, listed in its index. */
export interface PersistenceEngine {
  readonly name: string;
  /** Its mark in the templates it made, 1 to 255. */
  readonly number: number;
  /** A masq destination's datagram without a connection opens one, as the service's: a dialogue that a server begins. */
  readonly serversMayOpen: boolean;
  /** Fills `dialogue`; false when the packet names none. Called per connection: allocates nothing. */
  find(bytes: Uint8Array, packet: EnginePacket, dialogue: Dialogue): boolean;
}
