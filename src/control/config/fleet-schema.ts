/** Entries of director.yaml about a fleet of directors: rules from etcd, announced VIPs. */
import { list, mapping, value, words } from './builders.js';
import { notA, text, Wrong, whole } from './scalars.js';

/** Reads the address of an etcd member: http://10.0.0.2:2379. */
function endpoint(raw: unknown): string {
  const right = 'an address such as https://10.0.0.2:2379';
  const url = typeof raw === 'string' && URL.canParse(raw) ? new URL(raw) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.pathname !== '/') throw notA(raw, right);
  if (url.username !== '')
    throw new Wrong('a user does not belong into the address; give it as user: { name, passwordFile }');
  return url.origin;
}

function prefix(raw: unknown): string {
  if (typeof raw !== 'string' || !/^\/[!-~]*[^/]$/.test(raw))
    throw notA(raw, 'a prefix of keys such as /ulvs, which begins with / and does not end with it');
  return raw;
}

function memberName(raw: unknown): string {
  if (typeof raw !== 'string' || !/^[\w.-]{1,64}$/.test(raw))
    throw notA(raw, 'a name of letters, digits, dots and hyphens, 64 at most');
  return raw;
}

export const path = (what: string) => value(text(`the path of ${what}`));
export const PATH = 'path, relative to the directory of director.yaml';

const tls = mapping('a mapping such as { ca: ca.pem, cert: client.pem, key: client.key }', {
  ca: path('a file of certificates').optional().register(words, {
    type: PATH,
    text: 'Certificates (PEM) of the authorities that may have signed the certificate of etcd.',
    example: '/etc/ulvs/etcd-ca.pem',
    without: 'the authorities that Node.js knows',
  }),
  cert: path('a certificate').optional().register(words, {
    type: PATH,
    text: 'Certificate (PEM) by which the director shows etcd who it is.',
    example: '/etc/ulvs/etcd-client.pem',
    without: 'none is shown',
  }),
  key: path('a private key').optional().register(words, {
    type: PATH,
    text: 'Private key (PEM) of the certificate.',
    example: '/etc/ulvs/etcd-client.key',
    without: 'the key is in the file of the certificate',
  }),
});

const user = mapping('a mapping such as { name: ulvs, passwordFile: /etc/ulvs/etcd-password }', {
  name: value(text('the name of a user of etcd')).register(words, {
    type: 'text',
    text: 'User of etcd. It needs to read the keys below services/ and to read and write those below directors/.',
    example: 'ulvs',
  }),
  passwordFile: path('a file with the password').register(words, {
    type: PATH,
    text: 'File with the password of the user. White space at its end does not count.',
    example: '/etc/ulvs/etcd-password',
  }),
});

const etcd = mapping('a mapping such as { endpoints: [https://10.0.0.2:2379] }', {
  endpoints: list('https://10.0.0.2:2379', value(endpoint))
    .refine((all) => all.length > 0, { error: 'the list is empty; name a member of etcd' })
    .register(words, {
      type: 'list of addresses',
      text: 'Members of etcd (version 3.4 or later), tried in turn.',
      example: '[https://10.0.0.2:2379]',
    }),
  prefix: value(prefix).prefault('/ulvs').register(words, {
    type: 'text that begins with /',
    text: 'What all keys begin with. The rules are in PREFIX/services/, the directors are in PREFIX/directors/.',
    example: '/site/ulvs',
  }),
  name: value(memberName).optional().register(words, {
    type: 'text',
    text: 'Name of this director in ulvs fleet status. No other director may have it.',
    example: 'director1',
    without: 'the name of the host',
  }),
  lastGood: path('a file').optional().register(words, {
    type: PATH,
    text: 'File in which the director keeps the last rules that it applied. A start while etcd is away uses them.',
    example: '/var/lib/ulvs/rules.json',
    without: 'a start while etcd is away has no services until etcd is back',
  }),
  tls: tls.optional().register(words, {
    type: 'mapping',
    text: 'Certificates for endpoints of https.',
    example: '{ ca: /etc/ulvs/etcd-ca.pem }',
    without: 'the authorities that Node.js knows, and no certificate of the director',
  }),
  user: user.optional().register(words, {
    type: 'mapping',
    text: 'User and password, where etcd asks for them.',
    example: '{ name: ulvs, passwordFile: /etc/ulvs/etcd-password }',
    without: 'no user',
  }),
});

/** `rules` as a mapping. */
export const rulesFromEtcd = mapping('a mapping such as { etcd: { endpoints: [https://10.0.0.2:2379] } }', {
  etcd: etcd.register(words, {
    type: 'mapping',
    text: 'Services and destinations are keys of etcd. The director follows their changes.',
    example: '{ endpoints: [https://10.0.0.2:2379] }',
  }),
});

export const announce = mapping('a mapping such as { table: 1085 }', {
  table: value(whole(1, 0x7fff_ffff, 'the number of a routing table'))
    .prefault(1085)
    .register(words, {
      type: '1 to 2147483647',
      text: 'Routing table of the kernel that has the routes. No policy rule should lead to it.',
      example: '1085',
    }),
});
