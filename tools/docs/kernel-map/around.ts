/** Kernel map: functions outside IPVS in the kernel that ulvs needs, too. */
import { type MapFile, mapFile } from './parse.js';

export const AROUND: readonly MapFile[] = [
  mapFile(
    'include/net/ip_vs.h',
    'What of IPVS is written in its header.',
    `
ip_vs_todrop | dataplane/defence.ts: drops |
ip_vs_dest_conn_overhead | service/service.ts: overhead |
ip_vs_control_add | conntrack/entry-fields.ts: control |
ip_vs_control_assure_ct | conntrack/states.ts: assureControl |
ip_vs_control_del | conntrack/entry-fields.ts: uncontrol |
ip_vs_conn_fill_param | dataplane/parse/packet.ts: PacketInfo |
ip_vs_dest_hold, ip_vs_dest_put, ip_vs_dest_put_and_free | service/service.ts: references |
ip_vs_enqueue_expire_nodest_conns | dataplane/end-conns.ts: noteRemoval |
ip_vs_fwd_tag | ulvsadm/print-services.ts: FORWARD |
ip_vs_notrack | - | The packets of a director do not pass the host's conntrack.
`,
  ),
  mapFile(
    'net/ipv4/ip_input.c, net/ipv6/ip6_input.c',
    'Packets that come in.',
    `
ip_rcv_core, ip6_rcv_core | dataplane/parse/parse.ts: parse, parse4; dataplane/parse/ipv6.ts: parse6 |
ip_local_deliver, ip6_input | dataplane/host/local.ts: handleLocal, deliverLocal |
`,
  ),
  mapFile(
    'net/ipv4/ip_forward.c, net/ipv6/ip6_output.c, net/ipv4/ip_output.c',
    'Packets that cross the director or leave it.',
    `
ip_forward, ip6_forward | dataplane/path/forward.ts: forward; dataplane/xmit/ttl-mtu.ts: decrementTtlOrDrop |
ip_do_fragment, ip_fragment | dataplane/output/ip-output.ts: sendFragments; dataplane/output/refragment.ts: sendRefragmented |
ip6_fragment | dataplane/output/ip-output.ts: sendFragments6; dataplane/output/refragment.ts: write6 |
ip_finish_output2, ip6_finish_output2 | dataplane/output/neighbour-output.ts: neighbourOutput |
`,
  ),
  mapFile(
    'net/ipv4/route.c, net/ipv4/fib_trie.c, net/ipv4/fib_frontend.c, net/core/fib_rules.c',
    'Routes and policy rules.',
    `
ip_error | dataplane/path/forward.ts: dropUnroutable |
fib_table_lookup | dataplane/table/fib.ts: find; dataplane/table/fib6.ts: find |
fib_rules_lookup, fib_rule_match | dataplane/table/routes.ts: resolve4, resolve6, ruleMatches |
inet_addr_type | dataplane/director.ts: isLocal4; control/rules/unicast.ts: isUnicast |
ip_rt_update_pmtu | dataplane/table/path-mtu.ts: learn |
`,
  ),
  mapFile(
    'net/ipv4/icmp.c, net/ipv6/icmp.c, net/ipv4/inetpeer.c',
    'ICMP errors and echoes of the director itself.',
    `
__icmp_send | dataplane/output/icmp-error.ts: sendIcmp4 |
icmp6_send | dataplane/output/icmp-error.ts: sendIcmp6 |
icmpv4_xrlim_allow, icmpv6_xrlim_allow, inet_peer_xrlim_allow | dataplane/table/rate-limit.ts: take, take6 |
icmp_echo, icmpv6_echo_reply | dataplane/host/local.ts: echo |
`,
  ),
  mapFile(
    'net/ipv4/tcp_ipv4.c, net/ipv6/tcp_ipv6.c',
    'The answer to a TCP segment for a closed port.',
    `
tcp_v4_send_reset, tcp_v6_send_response | dataplane/host/tcp-reset.ts: reset |
`,
  ),
  mapFile(
    'net/ipv4/ip_fragment.c, net/ipv4/inet_fragment.c, net/ipv6/netfilter/nf_conntrack_reasm.c',
    'Reassembly.',
    `
ip_defrag, nf_ct_frag6_gather | dataplane/path/defrag.ts: defrag |
inet_frag_queue_insert | dataplane/table/fragment-queue.ts: place, insert |
ip_expire | dataplane/path/defrag.ts: expireFragments, sendTimeExceeded |
`,
  ),
  mapFile(
    'net/core/neighbour.c, net/ipv4/arp.c, net/ipv6/ndisc.c',
    'Neighbours.',
    `
__neigh_event_send | dataplane/table/neighbour.ts: want, ask |
__neigh_update, neigh_update | dataplane/table/neighbour.ts: resolve |
neigh_timer_handler | dataplane/table/neighbour.ts: tick, retry |
arp_process | dataplane/neigh/arp.ts: handleArp |
arp_solicit | dataplane/neigh/arp.ts: sendArpRequest |
ndisc_rcv | dataplane/neigh/nd.ts: handleNeighbourDiscovery |
ndisc_solicit | dataplane/neigh/nd.ts: sendSolicitation |
`,
  ),
  mapFile(
    'net/ipv6/addrconf_core.c',
    'Kinds of IPv6 addresses.',
    `
__ipv6_addr_type, ipv6_addr_type | control/rules/unicast.ts: isUnicast6 |
`,
  ),
  mapFile(
    'net/netfilter/nf_conntrack_seqadj.c, net/netfilter/xt_mark.c, include/linux/hash.h, lib/siphash.c',
    'Smaller things.',
    `
nf_ct_seq_adjust | conntrack/seqadj.ts: SequenceShift |
mark_tg | dataplane/table/marks.ts: match |
hash_32 | schedulers/hash.ts: hash32 |
hsiphash_1u32 | schedulers/hsiphash.ts: hsiphash |
siphash_4u32 | wire/siphash.ts: siphash |
`,
  ),
  mapFile(
    'net/ipv4/syncookies.c, net/ipv6/syncookies.c',
    'SYN cookies.',
    `
cookie_v4_init_sequence, cookie_v6_init_sequence | dataplane/table/cookies.ts: make |
__cookie_v4_check, __cookie_v6_check | dataplane/table/cookies.ts: check |
cookie_hash | dataplane/table/cookies.ts: of | One hash, with the time in it; the kernel adds two.
`,
  ),
  mapFile(
    'net/netfilter/nf_synproxy_core.c',
    'The SYN proxy of nft.',
    `
synproxy_send_client_synack | dataplane/synproxy/answer.ts: answerByCookie | The MSS and window scale are no settings.
synproxy_init_timestamp_cookie | dataplane/synproxy/answer.ts: fillOptions |
synproxy_check_timestamp_cookie | dataplane/synproxy/answer.ts: readOffers |
synproxy_recv_client_ack | dataplane/synproxy/open.ts: proves, becomeSyn |
synproxy_send_server_syn | dataplane/synproxy/open.ts: fillAsked; dataplane/path/synproxy.ts: askAgain |
synproxy_send_client_ack | dataplane/path/synproxy.ts: takeAnswer, becomeAck |
synproxy_send_server_ack | dataplane/path/synproxy.ts: acknowledge |
synproxy_tstamp_adjust | dataplane/nat/shift.ts: spliceFromClient, spliceFromDestination |
`,
  ),
];
