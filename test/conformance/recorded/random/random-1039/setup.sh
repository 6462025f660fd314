# Random scenario 1039, wide.
sysctl -qw net.ipv4.ip_forward=1 net.ipv4.vs.conn_reuse_mode=2 net.ipv4.vs.expire_nodest_conn=1 net.ipv4.vs.nat_icmp_send=1 net.ipv4.vs.schedule_icmp=1 net.ipv4.vs.ignore_tunneled=1
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
-A --sctp-service 10.0.0.100:80 -s mh -b mh-fallback -p 300
-a --sctp-service 10.0.0.100:80 -r 192.168.1.11:80 -i -w 1 -x 4
-a --sctp-service 10.0.0.100:80 -r 192.168.1.12:80 -i -w 0 -x 2 -y 1
-a --sctp-service 10.0.0.100:80 -r 10.20.0.11:80 -g -w 3 -x 5
-A --sctp-service 10.0.0.100:81 -s rr
-a --sctp-service 10.0.0.100:81 -r 192.168.1.12:81 -g -w 3 -x 4
-a --sctp-service 10.0.0.100:81 -r 10.20.0.11:81 -i --tun-type gre --tun-csum -w 2
-A --sctp-service 10.0.0.100:82 -s sh -b sh-port,sh-fallback -p 600 -M 255.255.255.0
-a --sctp-service 10.0.0.100:82 -r 192.168.1.11:82 -g -w 2 -x 4 -y 2
-a --sctp-service 10.0.0.100:82 -r 192.168.1.12:82 -i --tun-type gue --tun-port 6080 --tun-remcsum -w 1
-a --sctp-service 10.0.0.100:82 -r 10.20.0.11:82 -i --tun-type gre --tun-nocsum -w 1 -x 3
R
