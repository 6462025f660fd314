/** The key `metrics` of director.yaml. */
import { canonicalAddress } from '../text/address.js';
import { mapping, value, words } from './builders.js';
import { flag, notA, shown, Wrong } from './scalars.js';

/** Where a server of the director listens: a path, or a loopback address and port. */
export type Listen = { readonly path: string } | { readonly host: string; readonly port: number };

const RIGHT = 'an absolute path, or a loopback address with a port such as 127.0.0.1:9731';

export function listen(raw: unknown): Listen {
  if (typeof raw !== 'string') throw notA(raw, RIGHT);
  if (raw.startsWith('/')) return { path: raw };
  const match = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(raw);
  const host = canonicalAddress(match?.[1] ?? match?.[2] ?? '');
  const port = Number(match?.[3]);
  if (host === undefined || port < 1 || port > 65_535) throw notA(raw, RIGHT);
  // Anybody who reaches the port may read: a proxy with authentication belongs in front.
  if (!host.startsWith('127.') && host !== '::1')
    throw new Wrong(`${shown(raw)} is no loopback address; write ${RIGHT}`);
  return { host, port };
}

export const metrics = mapping('a mapping such as { listen: 127.0.0.1:9731 }', {
  listen: value(listen).register(words, {
    type: 'absolute path of a Unix socket, or loopback address and port',
    text: 'Where /metrics is served by HTTP.',
    example: '127.0.0.1:9731',
  }),
  destinations: value(flag).prefault(true).register(words, {
    type: 'true or false',
    text: 'Series for each destination and check. When false there are those of services and of the director only.',
    example: 'false',
  }),
});
