/** Gathers the facts of one host: one shell in its namespace runs all tools. */
import { command } from '../sys/command.js';
import type { HostFacts } from './facts.js';
import { INTERRUPTS_SCRIPT, parseInterrupts } from './interrupts.js';
import {
  parseChecksums,
  parseFirewall,
  parseLinks,
  parseListeners,
  parsePolicy,
  parseRoutes,
  parseSysctls,
} from './parse.js';

const CONF = ['rp_filter', 'arp_ignore', 'send_redirects', 'accept_redirects'];
const CONF6 = ['forwarding', 'accept_redirects'];

/** The output of a tool that is not installed (nft, say) is empty. */
const SCRIPT = `
ip -d -j address; echo @@
ip -j -4 route show table all; echo @@
ip -j -4 rule; echo @@
ip -j -6 route show table all; echo @@
ip -j -6 rule; echo @@
ss -Hltunw; echo @@
cd /proc/sys/net/ipv4; grep -H . $PWD/ip_forward $PWD/tcp_synack_retries ${CONF.map((name) => `$PWD/conf/*/${name}`).join(' ')}
cd /proc/sys/net/ipv6; grep -H . ${CONF6.map((name) => `$PWD/conf/*/${name}`).join(' ')}; echo @@
nft -j list ruleset; echo @@
for dev in $(ls /sys/class/net); do
  echo "$dev $(ethtool -k $dev 2>/dev/null | sed -n 's/^tx-checksumming: \\(on\\|off\\).*/\\1/p')"
done; echo @@
${INTERRUPTS_SCRIPT}`;

/**
 * Where to look, and what the facts cannot tell: the host's name, its part, and a lab's segments.
 */
export interface Where {
  readonly name: string;
  readonly role: HostFacts['role'];
  readonly namespace: string;
  readonly segmentOf: ReadonlyMap<string, string>;
  /** The device by which decapsulated packets arrive, if the host has a lab's decapsulator. */
  readonly tunnel?: string;
}

/** Throws a CommandError if the namespace cannot be entered. */
export async function gatherHost({ name, role, namespace, segmentOf, tunnel }: Where): Promise<HostFacts> {
  const shell = ['sh', '-c', `{ ${SCRIPT} } 2>/dev/null; true`];
  const { stdout } = namespace
    ? await command('ip', ['netns', 'exec', namespace, ...shell])
    : await command(shell[0]!, shell.slice(1));
  const parts = stdout.split('@@').map((part) => part.trim());
  const [links = '', routes = '', rules = '', routes6 = '', rules6 = ''] = parts;
  const [sockets = '', sysctls = '', nft = '', checksums = '', interrupts = ''] = parts.slice(5);
  const { links: bare, addresses } = parseLinks(links);
  const offloaded = parseChecksums(checksums);
  return {
    name,
    role,
    namespace,
    links: bare.map((link) => ({
      ...link,
      ...(segmentOf.has(link.dev) && { segment: segmentOf.get(link.dev)! }),
      tunnel: link.dev === tunnel,
      txChecksum: offloaded.get(link.dev) ?? false,
    })),
    addresses,
    routes: [...parseRoutes(routes), ...parseRoutes(routes6, true)],
    policy: [...parsePolicy(rules), ...parsePolicy(rules6, true)],
    sysctls: parseSysctls(sysctls),
    listeners: parseListeners(sockets),
    firewall: parseFirewall(nft),
    processors: parseInterrupts(interrupts),
  };
}
