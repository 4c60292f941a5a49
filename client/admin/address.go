package admin

import (
	"net"
	"strconv"
	"strings"
)

const defaultPort = "2181"

// hostPort completes and checks the address of a client port.
func hostPort(addr string) (string, error) {
	bad := func(rule string) (string, error) {
		return "", badArgument("server address", "%s: %s", quote(addr), rule)
	}
	host, port := addr, defaultPort
	switch {
	case addr == "":
		return bad("it is empty")
	case net.ParseIP(addr) != nil: // a bare IPv6 address has colons, but no port
	case strings.HasPrefix(addr, "[") && strings.HasSuffix(addr, "]"):
		host = addr[1 : len(addr)-1]
	case strings.Contains(addr, ":"):
		var err error
		if host, port, err = net.SplitHostPort(addr); err != nil {
			return bad("it is not host:port (IPv6 addresses stand in brackets)")
		}
	}
	if host == "" || strings.ContainsAny(host, " \t\r\n/,;@?#\\\x00[]") {
		return bad("the host is not a name or an address")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return bad("the port is not a number from 1 to 65535")
	}
	return net.JoinHostPort(host, port), nil
}

// hostPorts takes a server list apart; a chroot at its end does not matter here.
func hostPorts(list string) ([]string, error) {
	hosts, _, _ := strings.Cut(list, "/")
	var out []string
	for entry := range strings.SplitSeq(hosts, ",") {
		addr, err := hostPort(strings.TrimSpace(entry))
		if err != nil {
			return nil, err
		}
		out = append(out, addr)
	}
	return out, nil
}
