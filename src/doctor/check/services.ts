/** What the director's own tables show. */
import type { Check } from '../facts.js';
import { commandOn, director, editCommand, onePerHost, realServers, serviceWords } from '../queries.js';

export const weights: Check = (facts) =>
  facts.director.services
    .filter(({ destinations }) => destinations.length > 0 && destinations.every(({ weight }) => weight === 0))
    .map((service) => ({
      id: 'all-weights-zero',
      host: director(facts).name,
      wrong: `every destination of ${serviceWords(service)} has weight 0`,
      seen: '`ulvsadm -Ln`',
      consequence: 'every destination is quiesced: a new client is refused at once (ICMP port unreachable)',
      fix: service.destinations.map((destination) => editCommand(facts, service, { ...destination, weight: 1 })),
    }));

/** IPVS keeps a half-open connection for 60 s: the timeout of the state SYN_RECV. */
const SYN_RECV_SECONDS = 60;

/** HOWTO 5.24: the kernel sends the n-th SYN-ACK 2^n - 1 seconds after the first. */
export const synAckRetries: Check = (facts) =>
  onePerHost(realServers(facts, ['masq'])).flatMap(({ host }) => {
    const retries = host.sysctls.tcp_synack_retries ?? 5;
    const last = 2 ** retries - 1;
    if (last <= SYN_RECV_SECONDS) return [];
    return [
      {
        id: 'synack-outlives-connection',
        host: host.name,
        wrong: `${host.name} repeats its SYN-ACK for longer than the director keeps the half-open connection`,
        seen: `net.ipv4.tcp_synack_retries is ${retries} on ${host.name}: the last SYN-ACK comes after ${last} s, SYN_RECV ends after ${SYN_RECV_SECONDS} s`,
        consequence: 'late SYN-ACKs belong to no connection and leave with the RIP as source, as in a SYN flood',
        fix: [commandOn(host, 'sysctl -w net.ipv4.tcp_synack_retries=5')],
      },
    ];
  });

export const templates: Check = (facts) =>
  facts.director.expireQuiescentTemplate
    ? []
    : facts.director.services.flatMap((service) =>
        service.destinations
          .filter(({ weight, persistConns }) => service.persistent && weight === 0 && persistConns > 0)
          .map(({ address, persistConns }) => ({
            id: 'template-outlives-quiesced',
            host: director(facts).name,
            wrong: `${address} is quiesced, but ${persistConns} persistence templates of ${serviceWords(service)} still send clients there`,
            seen: '`ulvsadm -Ln --persistent-conn` and `ulvs sysctl expire_quiescent_template`, which is 0',
            consequence:
              'clients that return before their template expires go there again: the realserver never drains',
            fix: [`ulvs sysctl expire_quiescent_template=1 --socket ${facts.socket}`],
          })),
      );
