/** An authority, and certificates of a server on 127.0.0.1 and of a client that it has signed. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

/** Makes ca.pem, server.pem, server.key, client.pem and client.key in `folder`, by openssl. */
export function makeCertificates(folder: string): void {
  const openssl = (...words: string[]) => execFileSync('openssl', words, { cwd: folder, stdio: 'ignore' });
  const key = (name: string) => [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    `${name}.key`,
  ];
  openssl('req', '-x509', ...key('ca'), '-days', '2', '-subj', '/CN=test authority', '-out', 'ca.pem');
  writeFileSync(`${folder}/names`, 'subjectAltName=IP:127.0.0.1');
  for (const name of ['server', 'client']) {
    openssl('req', ...key(name), '-subj', `/CN=${name}`, '-out', `${name}.csr`);
    const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names'];
    openssl('x509', '-req', '-in', `${name}.csr`, ...signed, '-out', `${name}.pem`);
  }
}
