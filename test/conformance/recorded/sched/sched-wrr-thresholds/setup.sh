# wrr: random connections and thresholds (seed 3).
sysctl -qw net.ipv4.ip_forward=1
ip -batch - <<'I'
addr add 10.0.0.254/24 dev eth0
addr add 192.168.1.254/24 dev eth1
addr add 10.0.0.100/32 dev eth0
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
ipvsadm -R <<'R'
-A -t 10.0.0.100:80 -s wrr
-a -t 10.0.0.100:80 -r 192.168.1.11:80 -g -w 9 -x 2 -y 2
-a -t 10.0.0.100:80 -r 192.168.1.12:80 -g -w 0 -x 3 -y 0
-a -t 10.0.0.100:80 -r 192.168.1.13:80 -g -w 6 -x 8 -y 0
-a -t 10.0.0.100:80 -r 192.168.1.14:80 -g -w 2 -x 3 -y 0
-a -t 10.0.0.100:80 -r 192.168.1.15:80 -g -w 1 -x 3 -y 0
R
