# One-packet connections are not sent; the template of one is.
sysctl -qw net.ipv4.ip_forward=1
ip -batch - <<'I'
addr add 10.0.0.254/24 dev eth0
addr add 192.168.1.254/24 dev eth1
addr add 172.16.0.254/24 dev eth2
addr add 10.0.0.100/32 dev eth0
neigh add 10.0.0.1 lladdr 02:00:00:00:c0:01 dev eth0 nud permanent
neigh add 10.0.0.2 lladdr 02:00:00:00:c0:02 dev eth0 nud permanent
neigh add 10.0.0.3 lladdr 02:00:00:00:c0:03 dev eth0 nud permanent
neigh add 192.168.1.11 lladdr 02:00:00:00:a0:11 dev eth1 nud permanent
neigh add 192.168.1.12 lladdr 02:00:00:00:a0:12 dev eth1 nud permanent
neigh add 192.168.1.1 lladdr 02:00:00:00:a0:01 dev eth1 nud permanent
neigh add 172.16.0.1 lladdr 02:00:00:00:b0:01 dev eth2 nud permanent
route add 10.20.0.0/16 via 172.16.0.1
I
ipvsadm -R <<'R'
-A -u 10.0.0.100:53 -s rr -o
-a -u 10.0.0.100:53 -r 192.168.1.11 -m
-A -u 10.0.0.100:54 -s rr -o -p 50
-a -u 10.0.0.100:54 -r 192.168.1.11 -m
R
