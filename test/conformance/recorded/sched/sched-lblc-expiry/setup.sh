# lblc: an address that nobody asked for is forgotten by the half-hourly sweep, not before.
sysctl -qw net.ipv4.ip_forward=1
ip -batch - <<'I'
addr add 10.0.0.254/24 dev eth0
addr add 192.168.1.254/24 dev eth1
neigh add 192.168.1.11 lladdr 02:00:00:00:a0:11 dev eth1 nud permanent
neigh add 192.168.1.12 lladdr 02:00:00:00:a0:12 dev eth1 nud permanent
neigh add 192.168.1.13 lladdr 02:00:00:00:a0:13 dev eth1 nud permanent
neigh add 192.168.1.14 lladdr 02:00:00:00:a0:14 dev eth1 nud permanent
neigh add 192.168.1.15 lladdr 02:00:00:00:a0:15 dev eth1 nud permanent
neigh add 192.168.1.16 lladdr 02:00:00:00:a0:16 dev eth1 nud permanent
neigh add 192.168.1.17 lladdr 02:00:00:00:a0:17 dev eth1 nud permanent
neigh add 192.168.1.18 lladdr 02:00:00:00:a0:18 dev eth1 nud permanent
neigh add 10.0.0.1 lladdr 02:00:00:00:c0:01 dev eth0 nud permanent
route add 10.9.0.0/16 via 10.0.0.1
I
ip -4 rule add fwmark 1 table 100
ip -4 route add local 0/0 dev lo table 100
nft 'add table ip m; add chain ip m p { type filter hook prerouting priority mangle; }; add rule ip m p ip daddr 203.0.113.0/24 meta mark set 1'
ipvsadm -R <<'R'
-A -f 1 -s lblc
-a -f 1 -r 192.168.1.11 -g -w 100
-a -f 1 -r 192.168.1.12 -g -w 100
R
sysctl -qw net.ipv4.vs.lblc_expiration=90
