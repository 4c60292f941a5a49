package client

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
)

// ErrBadConfig is returned for a configuration of an ensemble that does not have the
// form that ZooKeeper writes.
var ErrBadConfig = errors.New("malformed ensemble configuration")

// ParseEnsembleConfig reads a configuration as ZooKeeper writes it, in
// /zookeeper/config and in its dynamic files: lines of server.N=, group.N=, weight.N=
// and version=. An empty text is an empty configuration. Errors: [ErrBadConfig], with
// the line.
func ParseEnsembleConfig(text string) (EnsembleConfig, error) {
	var c EnsembleConfig
	versioned := false
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		rule := ""
		key, value, ok := strings.Cut(line, "=")
		kind, number, _ := strings.Cut(key, ".")
		id, isID := parseID(number)
		switch {
		case !ok:
			rule = "it is not key=value"
		case key == "version" && versioned:
			rule = "the version comes a second time"
		case key == "version":
			versioned = true
			v, err := strconv.ParseUint(value, 16, 64)
			if c.Version = int64(v); err != nil {
				rule = "the version is not a hexadecimal number"
			}
		case !isID:
			rule = "the key is not server.N, group.N, weight.N or version"
		case kind == "server":
			rule = c.addServer(id, value)
		case kind == "group":
			rule = c.addGroup(id, value)
		case kind == "weight":
			rule = c.addWeight(id, value)
		default:
			rule = "the key is not server.N, group.N, weight.N or version"
		}
		if rule != "" {
			return EnsembleConfig{}, fmt.Errorf("%w: line %d, %s: %s", ErrBadConfig, n+1, quoted(line), rule)
		}
	}
	slices.SortFunc(c.Servers, func(a, b EnsembleServer) int { return cmp.Compare(a.ID, b.ID) })
	return c, nil
}

// ParseEnsembleServer reads one server: "server.4=zk4:2888:3888:observer;2181". Several
// addresses are separated by "|"; the role, and the client's address or all that stands behind the
// semicolon, may be missing. Errors: [ErrBadConfig].
func ParseEnsembleServer(text string) (EnsembleServer, error) {
	c, err := ParseEnsembleConfig(text)
	if err != nil {
		return EnsembleServer{}, err
	}
	if len(c.Servers) != 1 || strings.Contains(strings.TrimSpace(text), "\n") {
		return EnsembleServer{}, fmt.Errorf("%w: %s is not one server", ErrBadConfig, quoted(text))
	}
	return c.Servers[0], nil
}

func (c *EnsembleConfig) addServer(id int64, value string) string {
	if _, twice := c.Server(id); twice {
		return "the server comes a second time"
	}
	s, rule := parseMember(value)
	s.ID = id
	c.Servers = append(c.Servers, s)
	return rule
}

func (c *EnsembleConfig) addGroup(id int64, value string) string {
	if _, twice := c.Groups[id]; twice {
		return "the group comes a second time"
	}
	var ids []int64
	for part := range strings.SplitSeq(value, ":") {
		member, ok := parseID(part)
		if !ok {
			return "a group is a list of servers' numbers, separated by colons"
		}
		ids = append(ids, member)
	}
	if c.Groups == nil {
		c.Groups = map[int64][]int64{}
	}
	c.Groups[id] = ids
	return ""
}

func (c *EnsembleConfig) addWeight(id int64, value string) string {
	if _, twice := c.Weights[id]; twice {
		return "the weight comes a second time"
	}
	weight, ok := parseID(value)
	if !ok {
		return "a weight is a number"
	}
	if c.Weights == nil {
		c.Weights = map[int64]int64{}
	}
	c.Weights[id] = weight
	return ""
}

// parseMember reads what stands behind server.N=, and returns the rule that it breaks, or "".
func parseMember(value string) (EnsembleServer, string) {
	var s EnsembleServer
	peers, clients, takesClients := strings.Cut(value, ";")
	parts := strings.Split(peers, "|")
	for i, part := range parts {
		fields, ok := splitAddr(part)
		if last := i == len(parts)-1; ok && last && len(fields) == 4 {
			s.Role, fields = strings.ToLower(fields[3]), fields[:3]
			if s.Role != Participant && s.Role != Observer {
				return s, "the role is neither participant nor observer"
			}
		}
		if !ok || len(fields) != 3 || !validHost(fields[0]) {
			return s, "an address is not host:port:port, with a role behind the last"
		}
		quorum, okQuorum := parsePort(fields[1])
		election, okElection := parsePort(fields[2])
		if !okQuorum || !okElection {
			return s, "a port is not a number from 1 to 65535"
		}
		s.Addrs = append(s.Addrs, PeerAddr{Host: fields[0], QuorumPort: quorum, ElectionPort: election})
	}
	s.Role = s.role()
	if !takesClients {
		return s, ""
	}
	fields, ok := splitAddr(clients)
	if len(fields) == 1 {
		fields = []string{"0.0.0.0", fields[0]}
	}
	if !ok || len(fields) != 2 || !validHost(fields[0]) {
		return s, "what stands behind the semicolon is not port or host:port"
	}
	s.ClientHost = fields[0]
	if s.ClientPort, ok = parsePort(fields[1]); !ok {
		return s, "the client port is not a number from 1 to 65535"
	}
	return s, ""
}

// splitAddr splits at colons outside brackets, which it takes off.
func splitAddr(text string) ([]string, bool) {
	var fields []string
	if rest, ok := strings.CutPrefix(text, "["); ok {
		host, behind, closed := strings.Cut(rest, "]")
		if !closed || !strings.Contains(host, ":") || !strings.HasPrefix(behind, ":") {
			return nil, false
		}
		fields, text = append(fields, host), behind[1:]
	}
	return append(fields, strings.Split(text, ":")...), true
}

func parseID(text string) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n >= 0 && text[0] != '+' && text[0] != '-'
}

func parsePort(text string) (int, bool) {
	n, ok := parseID(text)
	return int(n), ok && n < 1<<16 && validPort(int(n))
}

func validPort(port int) bool { return port > 0 && port < 1<<16 }

// validHost keeps what has a meaning of its own in a configuration, or in a list of
// servers, out of host names.
func validHost(host string) bool {
	if strings.Contains(host, ":") {
		return net.ParseIP(strings.SplitN(host, "%", 2)[0]) != nil && !strings.ContainsAny(host, " \t\r\n=,;|[]/")
	}
	return host != "" && !strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune("=,;|[]/", r) })
}
