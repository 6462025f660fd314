# lblc: random connections and edits (seed 4).
sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.eth0.disable_ipv6=0 net.ipv6.conf.eth1.disable_ipv6=0 net.ipv6.conf.all.forwarding=1
ip -batch - <<'I'
addr add 2001:db8::254/64 dev eth0
addr add 2001:db8:1::254/64 dev eth1
neigh add 2001:db8:1::11 lladdr 02:00:00:00:a0:11 dev eth1 nud permanent
neigh add 2001:db8:1::12 lladdr 02:00:00:00:a0:12 dev eth1 nud permanent
neigh add 2001:db8:1::13 lladdr 02:00:00:00:a0:13 dev eth1 nud permanent
neigh add 2001:db8:1::14 lladdr 02:00:00:00:a0:14 dev eth1 nud permanent
neigh add 2001:db8:1::15 lladdr 02:00:00:00:a0:15 dev eth1 nud permanent
neigh add 2001:db8:1::16 lladdr 02:00:00:00:a0:16 dev eth1 nud permanent
neigh add 2001:db8:1::17 lladdr 02:00:00:00:a0:17 dev eth1 nud permanent
neigh add 2001:db8:1::18 lladdr 02:00:00:00:a0:18 dev eth1 nud permanent
neigh add 2001:db8::1 lladdr 02:00:00:00:c0:01 dev eth0 nud permanent
route add 2001:db8:98::/64 via 2001:db8::1
I
ip -6 rule add fwmark 1 table 100
ip -6 route add local ::/0 dev lo table 100
nft 'add table ip6 m; add chain ip6 m p { type filter hook prerouting priority mangle; }; add rule ip6 m p ip6 daddr 2001:db8:9::/64 meta mark set 1'
ipvsadm -R <<'R'
-A -f 1 -6 -s lblc
-a -f 1 -6 -r 2001:db8:1::11 -g -w 0
-a -f 1 -6 -r 2001:db8:1::12 -g -w 1
-a -f 1 -6 -r 2001:db8:1::13 -g -w 2
-a -f 1 -6 -r 2001:db8:1::14 -g -w 4
-a -f 1 -6 -r 2001:db8:1::15 -g -w 0
R
