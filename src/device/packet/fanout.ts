/**
 * Fanout: the eBPF program of a fanout group (PACKET_FANOUT_EBPF, packet(7)). It gives each packet
 * to the worker that owns the client, so few packets need a hand-off. For nearly all packets it
 * decides as dataplane/workers/steering.ts does. It cannot see marks, ICMP errors, fragments and
 * full NAT; for these the workers hand packets off.
 *
 *     IPv4, IPv6 ─ TCP, UDP, SCTP, whole ─┬─ from a masq destination? ─► its destination is the client ─┐
 *                                         └─ else ─────────────────────► its source is the client ──────┴─► hash ─► worker
 *     anything else ───────────────────────────────────────────────────────────────────────────────────────► the last one
 *
 * The result is the position of the worker in the group. The workers join from the last to the
 * first.
 */
import { BPF_F_NO_PREALLOC, createMap, loadSocketFilter, MapType, updateMap } from '../../sys/bpf.js';
import { close } from '../../sys/libc.js';
import { maskWord } from '../../wire/address.js';
import { SCTP, TCP, UDP } from '../../wire/ipv4.js';
import { Assembler, Call } from '../bpf/assembler.js';

/** BPF_HDR_START_NET of bpf_skb_load_bytes_relative. */
const FROM_NETWORK_HEADER = 1;
const PROTOCOLS = [TCP, UDP, SCTP] as const;
/** Mask of fragment offset and MF, as a little-endian machine reads the 16 bits. */
const FRAGMENT = 0xff3f;

/** Offsets in the stack of the program, below r10. */
const NET = -40;
const PORTS = -48;
const KEY = -72;
const INDEX = -80;

/**
 * Bytes of a key of the source map: | address 16 (IPv4 in the first 4) | port 2 | protocol 1 | 0 |, network order. Port and
 * protocol 0: any.
 */
const KEY_SIZE = 20;
const SOURCES = 1 << 17;
/**
 * Offsets in the settings, words of 32 bits in host order: IPv6 mask (4 words), IPv4 mask, whether
 * ports count, secrets (3 words), number of workers.
 */
const MASK4 = 16;
const WITH_PORTS = 20;
const SECRET = 24;
const COUNT = 36;
const SETTINGS = 40;

/** The fields of the client that the hash covers: its port or not, and how much of its address. */
export interface FanoutFields {
  readonly ports: boolean;
  /** Signed, host order. */
  readonly mask4: number;
  readonly prefix6: number;
}

/** A masq destination: address (4 or 16 bytes, network order), port and protocol; 0 for any. */
export interface FanoutSource {
  readonly address: Uint8Array;
  readonly port: number;
  readonly protocol: number;
}

export class Fanout {
  /** File descriptor of the program. */
  readonly program: number;
  private readonly sources: number;
  private readonly settings: number;
  private known = new Set<string>();

  /**
   * `count` workers. `secret`: three words, those of the workers' own hash. Throws a SystemError.
   */
  constructor(
    private readonly count: number,
    private readonly secret: readonly number[],
  ) {
    this.sources = createMap({
      type: MapType.hash,
      keySize: KEY_SIZE,
      valueSize: 1,
      entries: SOURCES,
      flags: BPF_F_NO_PREALLOC,
    });
    this.settings = createMap({ type: MapType.array, keySize: 4, valueSize: SETTINGS, entries: 1 });
    this.setFields({ ports: true, mask4: -1, prefix6: 128 });
    this.program = loadSocketFilter(programFor(this.sources, this.settings));
  }

  /** Changes the fields that the hash covers. Throws a SystemError. */
  setFields({ ports, mask4, prefix6 }: FanoutFields): void {
    const masks = [0, 1, 2, 3].map((i) => maskWord(prefix6, i));
    const words = Int32Array.of(...masks, mask4, ports ? 1 : 0, ...this.secret, this.count);
    updateMap(this.settings, new Uint8Array(4), new Uint8Array(words.buffer));
  }

  /**
   * Adds masq destinations. Old ones stay, because their connections may live longer. Throws a
   * SystemError.
   */
  addSources(sources: readonly FanoutSource[]): void {
    for (const source of sources) {
      const key = keyOf(source);
      const text = Buffer.from(key).toString('hex');
      if (this.known.has(text) || this.known.size === SOURCES) continue;
      updateMap(this.sources, key, Uint8Array.of(1));
      this.known.add(text);
    }
  }

  /** Closes program and maps; the group goes on with the program until its sockets are closed. */
  close(): void {
    for (const fd of [this.program, this.sources, this.settings]) close(fd);
  }
}

function keyOf({ address, port, protocol }: FanoutSource): Uint8Array {
  const key = new Uint8Array(KEY_SIZE);
  key.set(address);
  new DataView(key.buffer).setUint16(16, port);
  key[18] = protocol;
  return key;
}

/**
 * Registers: r6 the packet, r7 the hash, r8 the address of the client's address on the stack, r9
 * the settings.
 */
function programFor(sources: number, settings: number): Uint8Array {
  const asm = new Assembler().mov('r6', 'r1').store(32, 'r10', INDEX, 0);
  asm
    .map('r1', settings)
    .mov('r2', 'r10')
    .add('r2', INDEX)
    .call(Call.mapLookup)
    .jumpIf('r0', '==', 0, 'any')
    .mov('r9', 'r0');
  bytes(asm, 0, 20, NET);
  asm.load(8, 'r1', 'r10', NET).rsh('r1', 4).jumpIf('r1', '==', 6, 'six').jumpIf('r1', '!=', 4, 'any');
  four(asm, sources);
  six(asm, sources);
  asm.label('any').mov('r0', 0).exit();
  return asm.assemble();
}

/** Copies `length` bytes from `offset` in the IP packet to the stack. */
function bytes(asm: Assembler, offset: number | 'r2', length: number, to: number): void {
  if (typeof offset === 'number') asm.mov('r2', offset);
  asm.mov('r1', 'r6').mov('r3', 'r10').add('r3', to).mov('r4', length).mov('r5', FROM_NETWORK_HEADER);
  asm.call(Call.loadBytesRelative).jumpIf('r0', '!=', 0, 'any');
}

function four(asm: Assembler, sources: number): void {
  asm.load(16, 'r1', 'r10', NET + 6).jumpIf('r1', '&', FRAGMENT, 'any');
  protocol(asm, NET + 9, 'four');
  asm.load(8, 'r2', 'r10', NET).and('r2', 15).lsh('r2', 2);
  bytes(asm, 'r2', 4, PORTS);
  client(asm, sources, 4, NET + 12, NET + 16);
  begin(asm);
  asm.load(32, 'r1', 'r8', 0).swap('r1', 32).load(32, 'r2', 'r9', MASK4).and('r1', 'r2');
  mix(asm, SECRET + 4);
  finish(asm, 'four');
}

function six(asm: Assembler, sources: number): void {
  asm.label('six');
  bytes(asm, 0, 40, NET);
  protocol(asm, NET + 6, 'six');
  bytes(asm, 40, 4, PORTS);
  client(asm, sources, 16, NET + 8, NET + 24);
  begin(asm);
  for (let i = 0; i < 16; i += 4) {
    asm.load(32, 'r1', 'r8', i).swap('r1', 32).load(32, 'r2', 'r9', i).and('r1', 'r2');
    mix(asm, SECRET + 4);
  }
  finish(asm, 'six');
}

/** Clears the key and writes the protocol into it. */
function protocol(asm: Assembler, at: number, label: string): void {
  for (let i = 0; i < KEY_SIZE; i += 4) asm.store(32, 'r10', KEY + i, 0);
  asm.load(8, 'r1', 'r10', at).store(8, 'r10', KEY + 18, 'r1');
  for (const one of PROTOCOLS) asm.jumpIf('r1', '==', one, `ports-${label}`);
  asm.jump('any').label(`ports-${label}`);
}

/** Sets r8 to the client's address, and the first port on the stack to the client's port. */
function client(asm: Assembler, sources: number, length: number, src: number, dst: number): void {
  for (let i = 0; i < length; i += 4) asm.load(32, 'r1', 'r10', src + i).store(32, 'r10', KEY + i, 'r1');
  asm.load(16, 'r1', 'r10', PORTS).store(16, 'r10', KEY + 16, 'r1');
  const label = `reply-${length}`;
  look(asm, sources)
    .jumpIf('r0', '!=', 0, label)
    .store(32, 'r10', KEY + 16, 0);
  look(asm, sources).jumpIf('r0', '!=', 0, label);
  asm.mov('r8', 'r10').add('r8', src).jump(`client-${length}`);
  asm
    .label(label)
    .mov('r8', 'r10')
    .add('r8', dst)
    .load(16, 'r1', 'r10', PORTS + 2)
    .store(16, 'r10', PORTS, 'r1');
  asm.label(`client-${length}`);
}

function look(asm: Assembler, sources: number): Assembler {
  return asm.map('r1', sources).mov('r2', 'r10').add('r2', KEY).call(Call.mapLookup);
}

function begin(asm: Assembler): void {
  asm.load(32, 'r7', 'r9', SECRET);
}

/** r7 = mix(r7, r1, the secret at offset `secret`), as dataplane/workers/steering.ts does it. */
function mix(asm: Assembler, secret: number): void {
  asm
    .xor('r7', 'r1')
    .load(32, 'r1', 'r9', secret)
    .add('r7', 'r1')
    .mul('r7', 0x9e3779b1 | 0);
  low(asm, 'r7')
    .mov('r2', 'r7')
    .rsh('r2', 15)
    .xor('r2', 'r7')
    .mul('r2', 0x85ebca77 | 0);
  low(asm, 'r2').rsh('r7', 13).xor('r7', 'r2');
}

function low(asm: Assembler, register: 'r2' | 'r7'): Assembler {
  return asm.lsh(register, 32).rsh(register, 32);
}

function finish(asm: Assembler, label: string): void {
  asm.load(32, 'r1', 'r9', WITH_PORTS).jumpIf('r1', '==', 0, `done-${label}`);
  asm.load(16, 'r1', 'r10', PORTS).swap('r1', 16);
  mix(asm, SECRET + 8);
  asm.label(`done-${label}`).rsh('r7', 16).load(32, 'r1', 'r9', COUNT).mul('r7', 'r1').rsh('r7', 16);
  asm.mov('r0', 'r1').sub('r0', 'r7').sub('r0', 1).exit();
}
