/** What the director's own tables tell. */
import type { Check } from '../facts.js';
import { byHost, director, edit, on, placed, serviceWords } from '../query.js';

export const weights: Check = (site) =>
  site.director.services
    .filter(({ destinations }) => destinations.length > 0 && destinations.every(({ weight }) => weight === 0))
    .map((service) => ({
      id: 'all-weights-zero',
      host: director(site).name,
      wrong: `every destination of ${serviceWords(service)} has weight 0`,
      seen: '`ulvsadm -Ln`',
      consequence: 'all are quiesced: no new connection is made, the SYN is dropped',
      mend: service.destinations.map((destination) => edit(site, service, { ...destination, weight: 1 })),
    }));

/** IPVS keeps a half-open connection for 60 s (timeouts of state SYN_RECV). */
const SYN_RECV_SECONDS = 60;

/** HOWTO 5.24: the n-th SYN-ACK is sent 2^n - 1 s after the first. */
export const synAckRetries: Check = (site) =>
  byHost(placed(site, ['masq'])).flatMap(({ host }) => {
    const retries = host.sysctls.tcp_synack_retries ?? 5;
    const last = 2 ** retries - 1;
    if (last <= SYN_RECV_SECONDS) return [];
    return [
      {
        id: 'synack-outlives-connection',
        host: host.name,
        wrong: `${host.name} repeats its SYN-ACK longer than the director remembers the connection`,
        seen: `net.ipv4.tcp_synack_retries is ${retries} on ${host.name}: the last comes after ${last} s, SYN_RECV ends after ${SYN_RECV_SECONDS} s`,
        consequence: 'the late SYN-ACKs find no connection and leave with the source RIP, as one sees in a SYN flood',
        mend: [on(host, 'sysctl -w net.ipv4.tcp_synack_retries=5')],
      },
    ];
  });

export const templates: Check = (site) =>
  site.director.expireQuiescentTemplate
    ? []
    : site.director.services.flatMap((service) =>
        service.destinations
          .filter(({ weight, persistConns }) => service.persistent && weight === 0 && persistConns > 0)
          .map(({ address, persistConns }) => ({
            id: 'template-outlives-quiesced',
            host: director(site).name,
            wrong: `${address} is quiesced, but ${persistConns} persistence templates of ${serviceWords(service)} still send clients there`,
            seen: '`ulvsadm -Ln --persistent-conn` and `ulvs sysctl expire_quiescent_template`, which is 0',
            consequence:
              'its old clients come back for as long as they do so before the template ends: it never gets empty',
            mend: [`ulvs sysctl expire_quiescent_template=1 --socket ${site.socket}`],
          })),
      );
