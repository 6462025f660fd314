/** udp and dns. */
import dgram from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import net from 'node:net';
import { bad, bytesOf, type Checker, type CheckSettings, good, type Place } from './checker.js';

/** Without a reply, silence for this share of the deadline is good. */
const SILENCE = 0.5;
const SILENCE_MS = 1000;

export const udp: Checker = {
  good: 'the server answers `send`; with `expect`, the answer contains that text; with `reply: false`, no ICMP error comes',
  options: ['send', 'expect', 'reply'],
  run: exchange,
};

function exchange(place: Place, options: CheckSettings, signal: AbortSignal) {
  const { send, expect, reply, connectTimeout } = options;
  const socket = dgram.createSocket(net.isIPv6(place.address) ? 'udp6' : 'udp4');
  let timer: NodeJS.Timeout | undefined;
  return new Promise<{ ok: boolean; text: string }>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('the check was ended')), { once: true });
    socket.once('error', reject);
    socket.once('message', (bytes) => {
      const fits = expect === '' || bytes.includes(expect);
      resolve(fits ? good(`answered with ${bytes.length} bytes`) : bad('the answer does not contain what is expected'));
    });
    socket.connect(place.port, place.address, () => socket.send(bytesOf(send)));
    if (!reply)
      timer = setTimeout(() => resolve(good('no error came')), Math.min(SILENCE_MS, connectTimeout * SILENCE));
  }).finally(() => {
    clearTimeout(timer);
    socket.close();
  });
}

export const dns: Checker = {
  good: 'the server answers for `name` and `record`; with `expect`, an answer contains that text',
  options: ['name', 'record', 'expect'],
  run: async (place, { name, record, expect, connectTimeout }, signal) => {
    const resolver = new Resolver({ timeout: connectTimeout, tries: 1 });
    resolver.setServers([
      net.isIPv6(place.address) ? `[${place.address}]:${place.port}` : `${place.address}:${place.port}`,
    ]);
    signal.addEventListener('abort', () => resolver.cancel(), { once: true });
    const records = await resolver.resolve(name, record);
    const text = JSON.stringify(records);
    return text.includes(expect) ? good(text.slice(0, 80)) : bad(`the answer is ${text.slice(0, 80)}`);
  },
};
