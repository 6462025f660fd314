/**
 * Kernel map: the connection table and the protocols (ip_vs_conn.c, ip_vs_proto*.c, ip_vs_app.c,
 * ip_vs_ftp.c, ip_vs_pe*.c).
 */
import { mapFile } from './parse.js';

export const CONN = mapFile(
  'net/netfilter/ipvs/ip_vs_conn.c',
  'The connection table, timers and listings.',
  `
ip_vs_conn_hashkey, ip_vs_conn_hashkey_param, ip_vs_conn_hashkey_conn | conntrack/hash/buckets.ts: hash, bucketOf | Hashed by client address and port only, so that both directions meet in one bucket.
ip_vs_conn_hash | conntrack/table.ts: insert |
ip_vs_conn_unhash, ip_vs_conn_unlink | conntrack/table.ts: remove |
__ip_vs_conn_in_get, ip_vs_conn_in_get | conntrack/table.ts: findIn4; conntrack/find-wide.ts: findIn6; dataplane/path/inbound.ts: findIn |
ip_vs_conn_in_get_proto, ip_vs_conn_fill_param_proto | dataplane/path/inbound.ts: findPorts |
ip_vs_ct_in_get | conntrack/find-wide.ts: findTemplate; conntrack/engine-templates.ts: findEngineTemplate |
ip_vs_conn_out_get | conntrack/table.ts: findOut4; conntrack/find-wide.ts: findOut6 |
ip_vs_conn_out_get_proto | dataplane/path/outbound.ts: findOut |
ip_vs_conn_put, __ip_vs_conn_put_timer | conntrack/timers.ts: touch, settle |
ip_vs_conn_fill_cport | conntrack/expected.ts: fillClientPort |
ip_vs_bind_xmit, ip_vs_bind_xmit_v6 | dataplane/xmit/xmit.ts: xmit | Chosen by the method in the entry at each packet; there is no function pointer.
ip_vs_bind_dest | conntrack/connections.ts: bind; service/service.ts: noteBound |
ip_vs_unbind_dest | conntrack/gauges.ts: unbind; service/service.ts: noteUnbound |
ip_vs_try_bind_dest | conntrack/connections.ts: Connections; dataplane/sync/backup.ts: takeConn | When a message names the connection again.
expire_quiescent_template, ip_vs_check_template | dataplane/schedule/template.ts: usableTemplate; conntrack/connections.ts: invalidate |
ip_vs_conn_new | dataplane/schedule/new-conn.ts: newEntry; conntrack/find-wide.ts: fillEntry; conntrack/connections.ts: open |
ip_vs_conn_expire | conntrack/connections.ts: onDue, release; conntrack/wheel.ts: advance | Timers stand in a wheel of 10 ms ticks and end on time.
ip_vs_conn_expire_now | conntrack/connections.ts: expireNow |
ip_vs_conn_del, ip_vs_conn_del_put | conntrack/connections.ts: remove |
ip_vs_conn_ops_mode | dataplane/schedule/new-conn.ts: openFor |
ip_vs_random_dropentry | dataplane/defence.ts: thin, isDispensable | Random entries of the table, not random buckets.
todrop_entry | dataplane/defence.ts: isIdle |
ip_vs_expire_nodest_conn_flush | dataplane/end-conns.ts: tick, look |
ip_vs_conn_array, ip_vs_conn_seq_start, ip_vs_conn_seq_next, ip_vs_conn_seq_stop | control/server/live-counters.ts: listConnections |
ip_vs_conn_seq_show | proc/connections.ts: connectionsText |
ip_vs_conn_sync_seq_show, ip_vs_origin_name | proc/connections.ts: syncText |
ct_write_lock_bh, ct_write_unlock_bh, ip_vs_conn_rcu_free | - | Each worker owns its connections: there are no locks.
ip_vs_conn_init, ip_vs_conn_cleanup, ip_vs_conn_net_init, ip_vs_conn_net_cleanup, ip_vs_conn_flush | conntrack/table.ts: ConnectionTable | The table ends with the process.
`,
);

export const PROTO = mapFile(
  'net/netfilter/ipvs/ip_vs_proto.c',
  'The table of protocols.',
  `
ip_vs_create_timeout_table | conntrack/timeouts.ts: StateTimeouts |
ip_vs_protocol_timeout_change | dataplane/defence.ts: update |
ip_vs_state_name | conntrack/describe.ts: stateName |
ip_vs_proto_get, ip_vs_proto_data_get, register_ip_vs_protocol, unregister_ip_vs_protocol, register_ip_vs_proto_netns, unregister_ip_vs_proto_netns, ip_vs_protocol_init, ip_vs_protocol_cleanup, ip_vs_protocol_net_init, ip_vs_protocol_net_cleanup | - | The packet path compares protocol numbers. There is no registry.
ip_vs_tcpudp_debug_packet, ip_vs_tcpudp_debug_packet_v4, ip_vs_tcpudp_debug_packet_v6 | wire/print.ts: printFrame | ulvs trace shows packets.
`,
);

export const TCP = mapFile(
  'net/netfilter/ipvs/ip_vs_proto_tcp.c',
  'TCP: states, timeouts, NAT.',
  `
tcp_conn_schedule | dataplane/schedule/schedule.ts: mayOpen, scheduleFor |
tcp_state_transition, set_tcp_state | conntrack/states.ts: tcp, setState; conntrack/tcp.ts: nextTcpState | The state tables are written as in the kernel, so that they can be compared by eye.
tcp_state_idx | conntrack/tcp.ts: eventOf |
tcp_state_active | conntrack/tcp.ts: tcpActive |
tcp_state_name | conntrack/describe.ts: stateName |
tcp_timeout_change | conntrack/states.ts: secureTcp |
tcp_snat_handler | dataplane/nat/masq.ts: snat; wire/tcp.ts: rewriteSport |
tcp_dnat_handler | dataplane/nat/masq.ts: dnat; wire/tcp.ts: rewriteDport |
tcp_fast_csum_update, tcp_partial_csum_update | wire/tcp.ts: fix |
tcp_csum_check | dataplane/ftp/tcp-segment.ts: isIntact |
tcp_app_conn_bind | conntrack/connections.ts: needsHelper |
ip_vs_tcp_conn_listen | conntrack/expected.ts: listen |
tcp_app_hashkey, tcp_register_app, tcp_unregister_app | conntrack/connections.ts: helperPorts |
__ip_vs_tcp_init, __ip_vs_tcp_exit | - | Set-up of a network namespace.
`,
);

export const UDP = mapFile(
  'net/netfilter/ipvs/ip_vs_proto_udp.c',
  'UDP.',
  `
udp_conn_schedule | dataplane/schedule/schedule.ts: mayOpen, scheduleFor |
udp_state_transition | conntrack/states.ts: udp |
udp_state_name | conntrack/describe.ts: stateName |
udp_snat_handler, udp_dnat_handler | dataplane/nat/masq.ts: rewriteUdp |
udp_fast_csum_update, udp_partial_csum_update | wire/udp.ts: fix |
udp_csum_check | dataplane/host/local.ts: isSound |
udp_app_hashkey, udp_register_app, udp_unregister_app, udp_app_conn_bind | - | No helper reads UDP.
__udp_init, __udp_exit | - | Set-up of a network namespace.
`,
);

export const SCTP = mapFile(
  'net/netfilter/ipvs/ip_vs_proto_sctp.c',
  'SCTP.',
  `
sctp_conn_schedule | dataplane/schedule/schedule.ts: mayOpen, scheduleFor |
sctp_state_transition, set_sctp_state | dataplane/account.ts: sctpState; conntrack/states.ts: sctp; conntrack/sctp.ts: nextSctpState |
sctp_state_name | conntrack/describe.ts: stateName |
sctp_snat_handler, sctp_dnat_handler, sctp_nat_csum | dataplane/nat/masq.ts: rewriteSctp |
sctp_csum_check | wire/sctp.ts: isChecksumGood | The checksum is not checked on the way: a wrong one is the destination's to find.
sctp_app_hashkey, sctp_register_app, sctp_unregister_app, sctp_app_conn_bind | - | No helper reads SCTP.
__ip_vs_sctp_init, __ip_vs_sctp_exit | - | Set-up of a network namespace.
`,
);

export const AH_ESP = mapFile(
  'net/netfilter/ipvs/ip_vs_proto_ah_esp.c',
  'AH and ESP.',
  `
ah_esp_conn_fill_param_proto, ah_esp_conn_in_get, ah_esp_conn_out_get, ah_esp_conn_schedule | - | The kernel schedules no AH or ESP connection either; it only finds some.
`,
);

export const APP = mapFile(
  'net/netfilter/ipvs/ip_vs_app.c',
  'Helpers that read the text of a connection.',
  `
ip_vs_app_pkt_in, app_tcp_pkt_in | dataplane/ftp/ftp.ts: ftpIn |
ip_vs_app_pkt_out, app_tcp_pkt_out | dataplane/ftp/ftp.ts: ftpOut |
vs_fix_seq | dataplane/nat/shift.ts: shiftFromDestination; conntrack/seqadj.ts: toClient |
vs_fix_ack_seq | dataplane/nat/shift.ts: shiftFromClient; conntrack/seqadj.ts: toDestination |
vs_seq_update | conntrack/seqadj.ts: resized |
ip_vs_bind_app, ip_vs_unbind_app | conntrack/connections.ts: needsHelper |
ip_vs_app_seq_start, ip_vs_app_seq_next, ip_vs_app_seq_stop, ip_vs_app_seq_show, ip_vs_app_idx | proc/text.ts: appText |
ip_vs_app_get, ip_vs_app_put, ip_vs_app_inc_new, ip_vs_app_inc_release, ip_vs_app_inc_get, ip_vs_app_inc_put, ip_vs_app_inc_destroy, ip_vs_app_inc_rcu_free, register_ip_vs_app, unregister_ip_vs_app, register_ip_vs_app_inc, ip_vs_app_net_init, ip_vs_app_net_cleanup | - | There is one helper, and its ports are a key of the configuration (helpers.ftp).
`,
);

export const FTP = mapFile(
  'net/netfilter/ipvs/ip_vs_ftp.c',
  'The FTP helper.',
  `
ip_vs_ftp_in | dataplane/ftp/ftp.ts: ftpIn, readCommand, expectActive |
ip_vs_ftp_out | dataplane/ftp/ftp.ts: ftpOut, answer, expectPassive |
ip_vs_ftp_get_addrport | dataplane/ftp/text.ts: activeCommand, passiveAnswer |
ip_vs_ftp_data_ptr | dataplane/ftp/tcp-segment.ts: payloadAt |
ip_vs_ftp_init_conn, ip_vs_ftp_done_conn | conntrack/seqadj.ts: SeqAdj |
ip_vs_ftp_init, ip_vs_ftp_exit, __ip_vs_ftp_init, __ip_vs_ftp_exit | - | Module set-up.
`,
);

export const PE = mapFile(
  'net/netfilter/ipvs/ip_vs_pe.c',
  'Persistence engines.',
  `
ip_vs_pe_getbyname, __ip_vs_pe_getbyname | persistence/index.ts: engineNamed |
register_ip_vs_pe, unregister_ip_vs_pe | persistence/index.ts: ALL |
`,
);

export const PE_SIP = mapFile(
  'net/netfilter/ipvs/ip_vs_pe_sip.c',
  'Persistence by the Call-ID of SIP.',
  `
ip_vs_sip_fill_param | persistence/sip.ts: find, accept |
get_callid | persistence/sip.ts: findHeader, callIdLength |
ip_vs_sip_ct_match | conntrack/engine-templates.ts: isFor |
ip_vs_sip_hashkey_raw | conntrack/engine-templates.ts: hashBytes |
ip_vs_sip_show_pe_data, ip_vs_dbg_callid | conntrack/engine-templates.ts: keyText |
ip_vs_sip_conn_out | dataplane/path/server-opened.ts: openFromServer |
ip_vs_sip_init, ip_vs_sip_cleanup | - | Module set-up.
`,
);
