// A program on moby/ipvs, the library of Docker and kube-proxy: makes, changes, lists and deletes services. What it sends is
// recorded in test/exec/recorded/moby-ipvs.txt. Ends with 1 when an answer is wrong.
package main

import (
	"fmt"
	"net"
	"os"
	"syscall"

	"github.com/moby/ipvs"
)

var failed = false

func want(what string, err error, wanted error) {
	if err != wanted {
		fmt.Println(what, "=", err, "instead of", wanted)
		failed = true
	} else {
		fmt.Println(what, "ok")
	}
}

func service(family uint16, protocol uint16, address string, port uint16, mask uint32) *ipvs.Service {
	return &ipvs.Service{AddressFamily: family, Protocol: protocol, Address: net.ParseIP(address), Port: port, SchedName: "rr", Netmask: mask}
}

func main() {
	handle, err := ipvs.New("")
	want("New", err, nil)
	if err != nil {
		os.Exit(1)
	}
	defer handle.Close()
	want("Flush", handle.Flush(), nil)
	web := service(syscall.AF_INET, syscall.IPPROTO_TCP, "10.96.0.1", 443, 0xffffffff)
	dns := service(syscall.AF_INET6, syscall.IPPROTO_UDP, "fd00::a", 53, 128)
	want("NewService", handle.NewService(web), nil)
	want("NewService again", handle.NewService(web), syscall.EEXIST)
	want("NewService IPv6", handle.NewService(dns), nil)
	server := &ipvs.Destination{AddressFamily: syscall.AF_INET, Address: net.ParseIP("192.168.1.1"), Port: 6443, Weight: 1}
	want("NewDestination", handle.NewDestination(web, server), nil)
	server.Weight = 7
	want("UpdateDestination", handle.UpdateDestination(web, server), nil)
	all, err := handle.GetServices()
	want("GetServices", err, nil)
	for _, one := range all {
		destinations, err := handle.GetDestinations(one)
		want("GetDestinations", err, nil)
		fmt.Printf("  %v:%d flags %#x, %d destinations\n", one.Address, one.Port, one.Flags, len(destinations))
		if one.Flags&2 == 0 { // kube-proxy refuses a service that is not hashed
			failed = true
		}
	}
	config, err := handle.GetConfig()
	want("GetConfig", err, nil)
	fmt.Printf("  %+v\n", config)
	want("DelDestination", handle.DelDestination(web, server), nil)
	want("DelDestination again", handle.DelDestination(web, server), syscall.ENOENT)
	want("DelService", handle.DelService(dns), nil)
	want("DelService again", handle.DelService(dns), syscall.ESRCH)
	want("Flush", handle.Flush(), nil)
	if failed || len(all) != 2 {
		os.Exit(1)
	}
}
