/** Kernel map: the packet path (ip_vs_core.c, ip_vs_xmit.c). */
import { mapFile } from './parse.js';

export const CORE = mapFile(
  'net/netfilter/ipvs/ip_vs_core.c',
  'The hooks: which packets belong to a connection, and what happens to them.',
  `
ip_vs_in_hook | dataplane/ingress.ts: routeIp; dataplane/path/inbound.ts: inbound, open, forwardIn | The order of the steps is the same. The fast path (dataplane/fastpath) takes the plain cases first; a differential test holds both equal.
ip_vs_out_hook | dataplane/path/outbound.ts: outbound | A reply is routed first, as in the kernel's FORWARD hook.
ip_vs_forward_icmp | dataplane/path/icmp-related.ts: icmpRelated |
ip_vs_in_icmp, ip_vs_in_icmp_v6 | dataplane/path/icmp-related.ts: icmpRelated, toDestination; dataplane/path/icmp-tunnel.ts: tunnelError, relay | The part about tunnels (IPIP, GRE, GUE quoted) is icmp-tunnel.ts.
ip_vs_out_icmp, ip_vs_out_icmp_v6 | dataplane/path/icmp-related.ts: findQuotedRequest, toClient |
handle_response_icmp | dataplane/path/icmp-related.ts: toClient |
ip_vs_nat_icmp, ip_vs_nat_icmp_v6 | dataplane/nat/icmp-nat.ts: rewriteError |
handle_response | dataplane/path/outbound.ts: reply; dataplane/nat/masq.ts: snat |
ip_vs_try_to_schedule | dataplane/schedule/schedule.ts: schedule |
ip_vs_schedule | dataplane/schedule/schedule.ts: scheduleFor, openScheduled; dataplane/schedule/new-conn.ts: openFor |
ip_vs_sched_persist | dataplane/schedule/persistence.ts: schedulePersistent, openByTemplate |
ip_vs_conn_fill_param_persist | dataplane/schedule/template.ts: templateFor |
ip_vs_leave | dataplane/schedule/no-dest.ts: scheduleNoDest, openBypass, refuse |
ip_vs_new_conn_out, __ip_vs_rs_conn_out | dataplane/path/server-opened.ts: openFromServer, senderOf, open |
ip_vs_in_stats | dataplane/account.ts: countIn |
ip_vs_out_stats | dataplane/account.ts: countOut |
ip_vs_conn_stats | dataplane/account.ts: countConnection |
ip_vs_set_state | dataplane/account.ts: setState |
is_new_conn | dataplane/path/inbound.ts: opensConnection |
is_new_conn_expected | dataplane/path/inbound.ts: isFinished |
is_tcp_reset, is_sctp_abort | dataplane/path/stray-reply.ts: isAbort |
sysctl_nat_icmp_send | dataplane/path/stray-reply.ts: refuseStray |
ip_vs_gather_frags, ip_vs_defrag_user | dataplane/path/defrag.ts: defrag | One queue for all: there are no defrag users to tell apart.
ip_vs_route_me_harder, sysctl_snat_reroute | dataplane/xmit/next-hop.ts: routeReply | Replies always go by the route of the virtual address, as with snat_reroute=1.
ip_vs_checksum_complete | dataplane/path/icmp-related.ts: isSoundOrDrop |
ip_vs_addr_is_unicast | control/rules/unicast.ts: isUnicast |
ipvs_udp_decap, ipvs_gre_decap | dataplane/path/icmp-tunnel.ts: findTunnel |
ip_vs_proto_name | ulvsadm/print-connections.ts: PROTOCOLS |
ip_vs_init_hash_table, ip_vs_init, ip_vs_cleanup, __ip_vs_init, __ip_vs_cleanup_batch, __ip_vs_dev_cleanup_batch | - | Module and namespace set-up. A director is a process: control/daemon/daemon.ts starts and stops it.
ip_vs_register_hooks, ip_vs_unregister_hooks | dataplane/ingress.ts: isAwake | Frames come from devices, not from hooks. isAwake does what the missing hooks do while there is no service.
`,
);

export const XMIT = mapFile(
  'net/netfilter/ipvs/ip_vs_xmit.c',
  'The forwarding methods: how a packet leaves.',
  `
ip_vs_nat_xmit, ip_vs_nat_xmit_v6 | dataplane/xmit/xmit.ts: xmitMasq; dataplane/nat/masq.ts: dnat |
ip_vs_dr_xmit, ip_vs_dr_xmit_v6 | dataplane/xmit/xmit.ts: xmitGatewaying |
ip_vs_bypass_xmit, ip_vs_bypass_xmit_v6 | dataplane/xmit/xmit.ts: xmitGatewaying; dataplane/xmit/next-hop.ts: routeAsAddressed |
ip_vs_tunnel_xmit | dataplane/xmit/tunnel.ts: xmitTunnel, outer4 |
ip_vs_tunnel_xmit_v6 | dataplane/xmit/tunnel.ts: xmitTunnel, outer6 |
ip_vs_prepare_tunneled_skb | dataplane/xmit/tunnel.ts: encapsulate |
ipvs_gue_encap | dataplane/xmit/tunnel.ts: writeGue | GUE remote checksum offload is written as a plain checksum.
ipvs_gre_encap | dataplane/xmit/tunnel.ts: writeGre |
ip_vs_icmp_xmit, ip_vs_icmp_xmit_v6 | dataplane/path/icmp-related.ts: xmitTranslated |
ip_vs_null_xmit | dataplane/host/local.ts: deliverLocal |
ip_vs_nat_send_or_cont, ip_vs_send_or_cont, ip_vs_tunnel_xmit_prepare | dataplane/output/ip-output.ts: ipOutput | There is no conntrack entry to confirm or to drop.
__ip_vs_get_out_rt, __ip_vs_get_out_rt_v6, do_output_route4, __ip_vs_route_output_v6 | dataplane/xmit/next-hop.ts: routeForward, usableOrDrop; dataplane/table/routes.ts: lookup4, lookup6 |
__ip_vs_is_local_route6, crosses_local_route_boundary | dataplane/table/routes.ts: LOCAL_ROUTE; dataplane/xmit/xmit.ts: nextHop |
ensure_mtu_is_adequate, __mtu_check_toobig_v6, ip_vs_exceeds_mtu | dataplane/xmit/ttl-mtu.ts: fitsMtuOrDrop, isTooLong |
maybe_update_pmtu | dataplane/xmit/next-hop.ts: pathMtu; dataplane/table/path-mtu.ts: learn |
decrement_ttl | dataplane/xmit/ttl-mtu.ts: decrementTtlOrDrop |
__ip_vs_dst_set, __ip_vs_dst_check, ip_vs_dest_dst_alloc, ip_vs_dest_dst_free, rt_dev_is_down | dataplane/fastpath/cache.ts: batchCache; dataplane/table/gateway-cache.ts: GatewayCache | A destination keeps no route. Routes are looked up for each packet, with a cache for each batch.
ip_vs_drop_early_demux_sk | - | Frames come from a device, before any socket of the host.
__tun_gso_type_mask | - | GSO packets are cut by the device (device/gso.ts) before the packet path.
`,
);
