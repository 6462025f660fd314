/**
 * The hosts on the wire of a scenario (`wire.json`). They answer ARP requests and neighbour
 * solicitations for their addresses.
 */
import { z } from 'zod';
import { type Mac, parse4, parse6, parseMac } from '../wire/address.js';
import * as arp from '../wire/arp.js';
import { sum128 } from '../wire/checksum.js';
import { viewOf } from '../wire/decoded.js';
import * as ethernet from '../wire/ethernet.js';
import * as icmp6 from '../wire/icmp6.js';
import * as ipv6 from '../wire/ipv6.js';
import * as nd from '../wire/neighbour.js';

const HOSTS = z.array(z.object({ if: z.string(), ip: z.string(), mac: z.string() }));

export interface Host {
  readonly device: string;
  readonly mac: Mac;
  /** The address: one word for IPv4, four for IPv6. */
  readonly words: Int32Array;
}

/** Parses wire.json. Throws an Error that names the file and what is wrong. */
export function readHosts(file: string, text: string): Host[] {
  try {
    return HOSTS.parse(JSON.parse(text)).map((host) => ({
      device: host.if,
      mac: macOf(host.mac),
      words: wordsOf(host.ip),
    }));
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error).split('\n')[0] : (error as Error).message;
    throw new Error(`${file}: ${why}`);
  }
}

function macOf(text: string): Mac {
  const mac = parseMac(text);
  if (mac === undefined) throw new Error(`"${text}" is not a MAC address`);
  return mac;
}

function wordsOf(text: string): Int32Array {
  const four = parse4(text);
  const words = four === undefined ? parse6(text) : Int32Array.of(four);
  if (words === undefined) throw new Error(`"${text}" is not an IP address`);
  return words;
}

export class Wire {
  constructor(private readonly hosts: readonly Host[]) {}

  /** The frame with which a host answers `bytes` on `device`; undefined if it asks for no host. */
  answer(device: string, bytes: Uint8Array): Uint8Array | undefined {
    const view = viewOf(bytes);
    if (this.hosts.length === 0 || bytes.length < 42) return undefined;
    const type = ethernet.type(view, 0);
    if (type === ethernet.TYPE_ARP) return this.answerArp(device, bytes, view);
    return type === ethernet.TYPE_IPV6 ? this.answerSolicitation(device, view) : undefined;
  }

  private answerArp(device: string, bytes: Uint8Array, view: DataView): Uint8Array | undefined {
    const asked = arp.targetIp(view, ethernet.HEADER);
    if (arp.operation(view, ethernet.HEADER) !== arp.REQUEST) return undefined;
    const host = this.hosts.find((one) => one.device === device && one.words.length === 1 && one.words[0] === asked);
    if (host === undefined) return undefined;
    const reply = bytes.slice();
    const at = viewOf(reply);
    arp.makeReply(at, ethernet.HEADER, host.mac[0], host.mac[1]);
    ethernet.setDst(at, 0, ethernet.srcHi(view, 0), ethernet.srcLo(view, 0));
    ethernet.setSrc(at, 0, host.mac[0], host.mac[1]);
    return reply;
  }

  private answerSolicitation(device: string, view: DataView): Uint8Array | undefined {
    const l4 = ethernet.HEADER + ipv6.HEADER;
    if (ipv6.nextHeader(view, ethernet.HEADER) !== ipv6.ICMP6) return undefined;
    if (icmp6.type(view, l4) !== icmp6.NEIGHBOUR_SOLICITATION) return undefined;
    const host = this.hosts.find(
      (one) =>
        one.device === device &&
        one.words.length === 4 &&
        one.words.every((word, i) => word === nd.targetWord(view, l4, i)),
    );
    if (host === undefined) return undefined;
    const asker = new Int32Array(4);
    ipv6.readSrc(view, ethernet.HEADER, asker);
    const message = nd.encode(
      { advertisement: true, router: false, solicited: true, override: true, target: host.words, mac: host.mac },
      sum128(host.words) + sum128(asker),
    );
    const fields = { src: host.words, dst: asker, hopLimit: nd.HOP_LIMIT, nextHeader: ipv6.ICMP6, payload: message };
    const to: Mac = [ethernet.srcHi(view, 0), ethernet.srcLo(view, 0)];
    return ethernet.encode({ dst: to, src: host.mac, type: ethernet.TYPE_IPV6, payload: ipv6.encode(fields) });
  }
}
