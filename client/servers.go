package client

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

const defaultPort = "2181"

// server is one entry of the server list; the host may stand for several addresses.
type server struct {
	host string
	port string
}

func (s server) String() string { return net.JoinHostPort(s.host, s.port) }

// Servers returns the servers that the client dials, each as "host:port": those that
// [WithEnsembleTracking] has found and then those given to [Connect].
func (c *Client) Servers() []string {
	var out []string
	for _, s := range c.dialer.list() {
		out = append(out, s.String())
	}
	return out
}

// SetServers replaces the servers given to [Connect]; list has the same form. The present
// connection stays, the next one goes to one of the new servers. A chroot in it has to be the client's, and may
// be left out. Fails with [ErrBadArgument], and changes nothing then. Safe for concurrent use.
func (c *Client) SetServers(list string) error {
	servers, root, err := parseServers(list)
	if err != nil {
		return err
	}
	if root != "" && root != c.root {
		return fmt.Errorf("%w: server list %s: the chroot of a client cannot be changed from %s", ErrBadArgument, quoted(list), quoted(string(c.root)))
	}
	c.dialer.replace(servers)
	return nil
}

// parseServers reads "host:port,host:port/chroot". Ports default to 2181; IPv6
// addresses stand in brackets, or bare without a port.
func parseServers(list string) ([]server, chroot, error) {
	bad := func(rule string, args ...any) error {
		return fmt.Errorf("%w: server list %s: %s", ErrBadArgument, quoted(list), fmt.Sprintf(rule, args...))
	}
	hosts, root := list, chroot("")
	if strings.Contains(list, "://") {
		return nil, "", bad("it is no URL; the form is host:port,host:port/chroot")
	}
	if i := strings.IndexByte(list, '/'); i >= 0 {
		hosts = list[:i]
		path := list[i:]
		if strings.Contains(path, ",") {
			return nil, "", bad("the chroot %s comes once, behind the last server", quoted(path))
		}
		if err := checkPath(path, false); err != nil {
			return nil, "", bad("chroot: %v", err)
		}
		if path != "/" {
			root = chroot(path)
		}
	}
	if strings.TrimSpace(hosts) == "" {
		return nil, "", bad("it names no server; the form is host:port,host:port/chroot")
	}
	var out []server
	seen := map[server]bool{}
	for entry := range strings.SplitSeq(hosts, ",") {
		s, rule := parseServer(strings.TrimSpace(entry))
		if rule != "" {
			return nil, "", bad("entry %s: %s", quoted(entry), rule)
		}
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out, root, nil
}

// parseServer returns the rule that entry breaks, or "".
func parseServer(entry string) (server, string) {
	if entry == "" {
		return server{}, "it is empty"
	}
	host, port := entry, defaultPort
	switch {
	case net.ParseIP(entry) != nil: // a bare IPv6 address has colons, but no port
	case strings.HasPrefix(entry, "[") && strings.HasSuffix(entry, "]"):
		host = entry[1 : len(entry)-1]
	case strings.Contains(entry, ":"):
		var err error
		if host, port, err = net.SplitHostPort(entry); err != nil {
			return server{}, "it is not host:port (IPv6 addresses stand in brackets)"
		}
	}
	if strings.ContainsAny(host, " \t\r\n;@?#\\\x00[]") || host == "" {
		return server{}, "the host is not a name or an address"
	}
	if strings.Contains(host, ":") && net.ParseIP(strings.SplitN(host, "%", 2)[0]) == nil {
		return server{}, "the host is not an IPv6 address"
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return server{}, "the port is not a number from 1 to 65535"
	}
	return server{host: host, port: port}, ""
}
