/**
 * The most frequent line of a long -R, read without the grammar: a destination with an IPv4
 * address, as -S -n writes it. For what this does not know, and for all mistakes, there is the
 * grammar (parse.ts).
 *
 *     -a -t 10.0.0.1:80 -r 10.1.0.1:8080 -m -w 1
 */
import type { ChangeRequest } from '../control/api/api.js';
import {
  type AddressKey,
  DESTINATION_DEFAULTS,
  type DestinationConfig,
  type ForwardingMethod,
  TCP,
  UDP,
} from '../service/config.js';
import { parse4 } from '../wire/address.js';

const LINE = /^-a -([tu]) ([\d.]+):(\d{1,5}) -r ([\d.]+):(\d{1,5})(?: -([mgi]))?(?: -w (\d{1,9}))?$/;
const METHODS: Readonly<Record<string, ForwardingMethod>> = { m: 'masq', g: 'gatewaying', i: 'ipip' };
const LAST_PORT = 65_535;

/** Reads lines one after the other. */
export class FrequentLines {
  private key: AddressKey = { protocol: TCP, address: '', port: 0 };

  /** What the line asks for; undefined: the grammar is to read it. */
  read(line: string): ChangeRequest | undefined {
    const words = LINE.exec(line);
    if (words === null) return undefined;
    const key = this.keyOf(words[1]!, words[2]!, Number(words[3]));
    const destination = key && destinationOf(words, key);
    return destination && { op: 'addDestination', key, destination };
  }

  /** Lines of one service share its key: what reads the request sees that it is one service. */
  private keyOf(letter: string, address: string, port: number): AddressKey | undefined {
    const protocol = letter === 't' ? TCP : UDP;
    const { key } = this;
    if (key.address === address && key.port === port && key.protocol === protocol) return key;
    if (port > LAST_PORT || parse4(address) === undefined) return undefined;
    this.key = { protocol, address, port };
    return this.key;
  }
}

function destinationOf(words: RegExpExecArray, key: AddressKey): DestinationConfig | undefined {
  const address = words[4]!;
  const port = Number(words[5]);
  if (port > LAST_PORT || parse4(address) === undefined) return undefined;
  const { method: usual, weight: one, upperThreshold, lowerThreshold, tunnel } = DESTINATION_DEFAULTS;
  const method = METHODS[words[6] ?? ''] ?? usual;
  const weight = words[7] === undefined ? one : Number(words[7]);
  // Only masq rewrites the port.
  const served = method === 'masq' ? port : key.port;
  return { address, port: served, method, weight, upperThreshold, lowerThreshold, tunnel };
}
