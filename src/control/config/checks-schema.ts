/** The key `checks` of director.yaml: health checks of a service, and what follows from them. */
import { CHECK_TYPES, type CheckType } from '../../health/spec.js';
import { list, mapping, oneOf, value, words } from './builders.js';
import { flag, notA, shown, text, Wrong, whole } from './scalars.js';
import { destinationName, serviceKey } from './service-words.js';

/** Longest time of a check, s. */
const LONGEST = 86_400;

function seconds(least: number) {
  return (raw: unknown): number => {
    if (typeof raw === 'number' && raw >= least && raw <= LONGEST) return raw;
    throw notA(raw, `a number of seconds from ${least} to ${LONGEST}`);
  };
}

function share(raw: unknown): number {
  if (typeof raw === 'number' && raw >= 0 && raw <= 0.5) return raw;
  throw notA(raw, 'a number from 0 to 0.5');
}

function wholeShare(raw: unknown): number {
  if (typeof raw === 'number' && raw >= 0 && raw <= 1) return raw;
  throw notA(raw, 'a number from 0 to 1');
}

/** A text. */
function anyText(raw: unknown): string {
  if (typeof raw !== 'string') throw notA(raw, 'a text');
  return raw;
}

function statusRange(raw: unknown): readonly [number, number] {
  const match = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(String(raw));
  if (match === null) throw notA(raw, 'a status such as 200, or a range such as 200-299');
  return [Number(match[1]), Number(match[2] ?? match[1])];
}

function pattern(raw: unknown): string {
  const source = anyText(raw);
  try {
    new RegExp(source, 's');
  } catch (error) {
    throw new Wrong(`${shown(raw)} is not a regular expression: ${(error as Error).message}`);
  }
  return source;
}

function payload(raw: unknown): string {
  const source = anyText(raw);
  if (source.startsWith('hex:') && !/^hex:([0-9a-f]{2})*$/i.test(source))
    throw notA(raw, 'a text, or bytes such as hex:0d0a');
  return source;
}

function absolutePath(raw: unknown): string {
  const path = text('a path such as /health')(raw);
  if (!/^\/[\x21-\x7e]*$/.test(path)) throw notA(raw, 'a path such as /health');
  return path;
}

const check = mapping('a mapping such as { type: http, path: /health }', {
  type: oneOf<CheckType>(CHECK_TYPES).register(words, {
    type: `one of ${CHECK_TYPES.join(', ')}`,
    text: 'What is checked. The page on health checks says for each type what is good and which options it has.',
    example: 'http',
  }),
  name: value(text('a name')).optional().register(words, {
    type: 'text',
    text: 'Name of the check in the log, and for the key after. Unique in its service.',
    example: 'port',
    without: 'the type, and a number for a second check of the type',
  }),
  port: value(whole(0, 65_535, 'a port'))
    .prefault(0)
    .register(words, {
      type: 'port; 0 is the port of the destination',
      text: 'Port that is checked.',
      example: '8081',
    }),
  interval: value(seconds(0.1)).prefault(2).register(words, {
    type: 'seconds, 0.1 to 86400',
    text: 'Time from the end of a check to the next one.',
    example: '5',
  }),
  fastInterval: value(seconds(0.1)).prefault(1).register(words, {
    type: 'seconds, 0.1 to 86400',
    text: 'The same after a failure, and while the check is down.',
    example: '0.5',
  }),
  jitter: value(share).prefault(0.1).register(words, {
    type: '0 to 0.5',
    text: 'Share of the interval by which it varies, so that checks do not run in step.',
    example: '0.2',
  }),
  connectTimeout: value(seconds(0.05)).prefault(1).register(words, {
    type: 'seconds, 0.05 to 86400',
    text: 'Time for the connection.',
    example: '0.5',
  }),
  timeout: value(seconds(0.05)).prefault(2).register(words, {
    type: 'seconds, 0.05 to 86400',
    text: 'Time for the whole check. A server that sends a byte now and then does not prolong it.',
    example: '3',
  }),
  rise: value(whole(1, 1000)).prefault(2).register(words, {
    type: '1 to 1000',
    text: 'Successes in a row until the check is up.',
    example: '3',
  }),
  fall: value(whole(1, 1000)).prefault(3).register(words, {
    type: '1 to 1000',
    text: 'Failures in a row until the check is down.',
    example: '2',
  }),
  after: value(text('the name of a check')).optional().register(words, {
    type: 'name of a check of the same service',
    text: 'The check runs only while that one is up.',
    example: 'web',
    without: 'it runs always',
  }),
  destinations: list('192.168.1.11:8080', value(destinationName)).optional().register(words, {
    type: 'list of destinations of the service',
    text: 'Only these destinations are checked.',
    example: '[192.168.1.11:8080]',
    without: 'all destinations of the service but its sorry server',
  }),
  host: value(anyText).optional().register(words, {
    type: 'text',
    text: 'Host header of http, authority of http2 and grpc.',
    example: 'www.example.org',
    without: 'the address and port that the check connects to',
  }),
  path: value(absolutePath).prefault('/').register(words, {
    type: 'path of a URL',
    text: 'What http asks for.',
    example: '/health',
  }),
  status: list('200-299', value(statusRange)).prefault(['200-399']).register(words, {
    type: 'list of status codes and ranges',
    text: 'Good status codes of http.',
    example: '[200, 301-308]',
  }),
  body: value(pattern).optional().register(words, {
    type: 'regular expression of JavaScript',
    text: 'The body must match it.',
    example: '"^OK"',
    without: 'any body',
  }),
  expect: value(anyText).optional().register(words, {
    type: 'text',
    text: 'The answer must contain it.',
    example: '"OK"',
    without: 'any answer',
  }),
  sni: value(anyText).optional().register(words, {
    type: 'name of a server',
    text: 'Server name of TLS.',
    example: 'www.example.org',
    without: 'no server name',
  }),
  tls: value(flag).prefault(false).register(words, {
    type: 'true or false',
    text: 'TLS for http2 and grpc.',
    example: 'true',
  }),
  verify: value(flag).prefault(false).register(words, {
    type: 'true or false',
    text: 'The certificate must be signed by a known authority, for the name in sni.',
    example: 'true',
  }),
  certificateDays: value(whole(-1, 3650)).prefault(0).register(words, {
    type: '-1 to 3650',
    text: 'Days for which the certificate of https must still be valid. -1: it is not looked at.',
    example: '14',
  }),
  send: value(payload).optional().register(words, {
    type: 'text, or bytes such as hex:0d0a',
    text: 'What tcp and udp send.',
    example: '"hex:0d0a"',
    without: 'nothing is sent',
  }),
  reply: value(flag).prefault(true).register(words, {
    type: 'true or false',
    text: 'Whether udp needs an answer. When false, it is enough that no ICMP error comes.',
    example: 'false',
  }),
  lookup: value(anyText).optional().register(words, {
    type: 'text',
    text: 'Name that dns asks for; service that grpc asks for.',
    example: 'www.example.org',
    without: 'grpc asks for the whole server',
  }),
  record: oneOf(['A', 'AAAA', 'CNAME', 'MX', 'NS', 'PTR', 'SOA', 'SRV', 'TXT']).prefault('A').register(words, {
    type: 'A, AAAA, CNAME, MX, NS, PTR, SOA, SRV or TXT',
    text: 'Type of record that dns asks for.',
    example: 'SOA',
  }),
  failures: value(whole(1, 1_000_000)).prefault(3).register(words, {
    type: '1 to 1000000',
    text: 'passive is bad when so many connections of clients failed since the last look.',
    example: '5',
  }),
  share: value(wholeShare).prefault(0.5).register(words, {
    type: '0 to 1',
    text: 'And when they are at least this share of the connections.',
    example: '0.2',
  }),
  pause: value(seconds(0)).prefault(30).register(words, {
    type: 'seconds, 0 to 86400',
    text: 'Time after which passive lets clients try the destination again.',
    example: '60',
  }),
  command: list('/usr/local/bin/check', value(text('a program, then its arguments')))
    .default([])
    .register(words, {
      type: 'list of texts',
      text: 'Program of a script and its arguments. No shell is involved.',
      example: '[/usr/local/bin/check, --fast]',
    }),
});

export const checks = mapping('a mapping such as { service: -t 10.0.0.100:80, run: [ { type: tcp } ] }', {
  service: value(serviceKey).register(words, {
    type: 'a service in the words of ulvsadm',
    text: 'The service whose destinations are checked.',
    example: '"-t 10.0.0.100:80"',
  }),
  run: list('{ type: tcp }', check).register(words, {
    type: 'list of mappings',
    text: 'The checks. A destination is up while all its checks are up.',
    example: '[{ type: tcp }]',
  }),
  quorum: value(whole(0, 65_535)).prefault(1).register(words, {
    type: '0 to 65535',
    text: 'Number of destinations that must be up.',
    example: '2',
  }),
  hysteresis: value(whole(0, 65_535)).prefault(0).register(words, {
    type: '0 to 65535, less than quorum',
    text: 'The quorum is lost below quorum - hysteresis, and reached again at quorum + hysteresis.',
    example: '0',
  }),
  sorry: value(destinationName).optional().register(words, {
    type: 'a destination of the service',
    text: 'It has no clients while the quorum is reached, and all of them while it is lost. It is not checked.',
    example: '192.168.1.12:8080',
    without: 'the destinations that are up stay in use',
  }),
  onFailure: oneOf(['inhibit', 'remove']).prefault('inhibit').register(words, {
    type: 'inhibit or remove',
    text: 'inhibit sets the weight to 0, so that connections go on. remove takes the destination out.',
    example: 'remove',
  }),
  slowStart: value(seconds(0)).prefault(0).register(words, {
    type: 'seconds, 0 to 86400',
    text: 'Time in which the weight of a destination that comes up rises to its full value.',
    example: '30',
  }),
});
