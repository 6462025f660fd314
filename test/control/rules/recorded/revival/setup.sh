# One masq destination that is taken away and brought back in every way (record: ./mk.py, then oracle/replay on this folder).
sysctl -qw net.ipv4.ip_forward=1
ip addr add 10.0.0.254/24 dev eth0
ip addr add 10.0.0.100/32 dev eth0
ip addr add 192.168.1.254/24 dev eth1
ip neigh add 10.0.0.1 lladdr 02:00:00:00:c0:01 dev eth0 nud permanent
ip neigh add 192.168.1.11 lladdr 02:00:00:00:a0:11 dev eth1 nud permanent
ipvsadm -A -t 10.0.0.100:80 -s rr
ipvsadm -a -t 10.0.0.100:80 -r 192.168.1.11:8080 -m
