/** The key `console` of director.yaml. */
import { list, mapping, value, words } from './builders.js';
import { PATH, path } from './fleet-schema.js';
import { listen } from './metrics-schema.js';
import { text } from './scalars.js';

const tls = mapping('a mapping such as { cert: console.pem, key: console.key }', {
  cert: path('a certificate').register(words, {
    type: PATH,
    text: 'Certificate (PEM) of the console.',
    example: '/etc/ulvs/console.pem',
  }),
  key: path('a private key').register(words, {
    type: PATH,
    text: 'Private key (PEM) of the certificate.',
    example: '/etc/ulvs/console.key',
  }),
  ca: path('a file of certificates')
    .optional()
    .register(words, {
      type: PATH,
      text:
        'Certificates (PEM) of the authorities that sign the certificates of users. ' +
        'A browser with such a certificate needs no token, and one without it is refused.',
      example: '/etc/ulvs/users-ca.pem',
      without: 'users log in by a token',
    }),
  readers: list('alice.example.org', value(text('the name of a certificate, or its SHA-256 fingerprint')))
    .optional()
    .register(words, {
      type: 'list of names or SHA-256 fingerprints of certificates',
      text:
        'Certificates of users who may look but change nothing: a common name (CN), a subject alternative name, ' +
        'or the fingerprint in hexadecimal digits with or without colons. All other certificates of `ca` are those of operators.',
      example: '[ alice.example.org ]',
      without: 'every user with a certificate may change rules',
    }),
});

export const browserConsole = mapping('a mapping such as { listen: 127.0.0.1:9732 }', {
  listen: value(listen).register(words, {
    type: 'absolute path of a Unix socket, or loopback address and port',
    text: 'Where the console is served by HTTP. From another machine it is reached through ssh -L.',
    example: '127.0.0.1:9732',
  }),
  token: path('a file with the token').optional().register(words, {
    type: PATH,
    text: 'File with the token of those who may change rules. The director makes the file, with a random token, when it is missing.',
    example: '/etc/ulvs/console.token',
    without: 'a file beside the control socket, `ulvs.token` for `ulvs.sock`',
  }),
  readToken: path('a file with the token').optional().register(words, {
    type: PATH,
    text: 'File with the token of those who may look but change nothing. The director makes it as it makes the other.',
    example: '/etc/ulvs/console-readers.token',
    without: 'nobody logs in for looking only',
  }),
  tls: tls.optional().register(words, {
    type: 'mapping',
    text: 'Serves the console by HTTPS.',
    example: '{ cert: console.pem, key: console.key }',
    without: 'HTTP, which does not leave the machine',
  }),
});
