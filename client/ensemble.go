package client

import (
	"context"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/zookit/zookit/internal/jute"
)

// configPath is where the servers keep their configuration; no chroot applies to it.
const configPath = "/zookeeper/config"

// The roles of a server in [EnsembleServer].
const (
	// Participant is a server that votes.
	Participant = "participant"
	// Observer is a server that serves clients and does not vote.
	Observer = "observer"
)

// EnsembleConfig is what the servers know of their ensemble. A server that stands
// alone has an empty one.
type EnsembleConfig struct {
	// Version grows with each reconfiguration. It is the transaction of the latest, or
	// 0 while the servers run with what their files say.
	Version int64
	// Servers are the members, by ID.
	Servers []EnsembleServer
	// Groups and Weights are those of hierarchical quorums, by group and by server;
	// otherwise nil.
	Groups  map[int64][]int64
	Weights map[int64]int64
}

// EnsembleServer is one server of an ensemble.
type EnsembleServer struct {
	// ID is the server's number (myid).
	ID int64
	// Addrs are the addresses at which the other servers reach it: one, or several
	// since ZooKeeper 3.6.
	Addrs []PeerAddr
	// Role is [Participant] or [Observer]; "" stands for Participant.
	Role string
	// ClientHost and ClientPort are where it takes clients. "" and "0.0.0.0" stand for
	// all its addresses. The port is 0 when the configuration does not say it, as when it stands in
	// the server's own file.
	ClientHost string
	ClientPort int
}

// PeerAddr is an address of a server for the other servers.
type PeerAddr struct {
	// Host is a name or an address, IPv6 without brackets.
	Host string
	// QuorumPort is for what followers and leader have to say to each other,
	// ElectionPort for the election of the leader.
	QuorumPort, ElectionPort int
}

// String returns the configuration as ZooKeeper writes it, one line for each server.
func (c EnsembleConfig) String() string {
	var b strings.Builder
	for _, s := range c.Servers {
		b.WriteString(s.String() + "\n")
	}
	for _, g := range slices.Sorted(maps.Keys(c.Groups)) {
		fmt.Fprintf(&b, "group.%d=%s\n", g, joinIDs(c.Groups[g], ":"))
	}
	for _, s := range slices.Sorted(maps.Keys(c.Weights)) {
		fmt.Fprintf(&b, "weight.%d=%d\n", s, c.Weights[s])
	}
	fmt.Fprintf(&b, "version=%x", uint64(c.Version))
	return b.String()
}

// Server returns the member of that id.
func (c EnsembleConfig) Server(id int64) (EnsembleServer, bool) {
	i := slices.IndexFunc(c.Servers, func(s EnsembleServer) bool { return s.ID == id })
	if i < 0 {
		return EnsembleServer{}, false
	}
	return c.Servers[i], true
}

// String returns the server as ZooKeeper writes it:
// "server.1=zk1:2888:3888:participant;0.0.0.0:2181".
func (s EnsembleServer) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "server.%d=", s.ID)
	for i, a := range s.Addrs {
		if i > 0 {
			b.WriteByte('|')
		}
		fmt.Fprintf(&b, "%s:%d:%d", bracketed(a.Host), a.QuorumPort, a.ElectionPort)
	}
	b.WriteString(":" + s.role())
	if s.ClientPort != 0 {
		fmt.Fprintf(&b, ";%s:%d", bracketed(s.clientHost()), s.ClientPort)
	}
	return b.String()
}

func (s EnsembleServer) role() string {
	if s.Role == "" {
		return Participant
	}
	return s.Role
}

func (s EnsembleServer) clientHost() string {
	if s.ClientHost == "" {
		return "0.0.0.0"
	}
	return s.ClientHost
}

// ClientAddrs returns where clients reach the server, each as "host:port": its client
// address or, where that stands for all its addresses, each host under which the other
// servers know it. It is empty when the configuration does not say the port. Clients
// may have to use other addresses: behind a proxy, for example.
func (s EnsembleServer) ClientAddrs() []string {
	var out []string
	for _, a := range s.clientServers() {
		out = append(out, a.String())
	}
	return out
}

func (s EnsembleServer) clientServers() []server {
	if s.ClientPort == 0 {
		return nil
	}
	port := strconv.Itoa(s.ClientPort)
	if ip := net.ParseIP(s.clientHost()); ip == nil || !ip.IsUnspecified() {
		return []server{{host: s.ClientHost, port: port}}
	}
	var out []server
	for _, a := range s.Addrs {
		if one := (server{host: a.Host, port: port}); !slices.Contains(out, one) {
			out = append(out, one)
		}
	}
	return out
}

// check returns what is wrong with a server for a reconfiguration, or "".
func (s EnsembleServer) check() string {
	switch {
	case s.ID < 0:
		return "the id is negative"
	case len(s.Addrs) == 0:
		return "it has no address"
	case s.Role != "" && s.Role != Participant && s.Role != Observer:
		return "the role " + quoted(s.Role) + " is neither participant nor observer"
	case s.ClientPort == 0:
		return "it has no client port, which servers ask for here"
	case !validPort(s.ClientPort):
		return "the client port is not a number from 1 to 65535"
	case s.ClientHost != "" && !validHost(s.ClientHost):
		return "the client host " + quoted(s.ClientHost) + " is not a name or an address"
	}
	for _, a := range s.Addrs {
		switch {
		case !validHost(a.Host):
			return "the host " + quoted(a.Host) + " is not a name or an address"
		case !validPort(a.QuorumPort) || !validPort(a.ElectionPort):
			return "a port is not a number from 1 to 65535"
		}
	}
	return ""
}

func bracketed(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

func joinIDs(ids []int64, by string) string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = strconv.FormatInt(id, 10)
	}
	return strings.Join(out, by)
}

// EnsembleConfig reads the ensemble's configuration, whatever the client's chroot, as
// the connected server knows it; [Ops.Sync] before it makes that current. Errors:
// [ErrNoNode] before ZooKeeper 3.5, [ErrNoAuth].
func (c *Client) EnsembleConfig(ctx context.Context) (EnsembleConfig, error) {
	return Ops{c: c, bare: true}.ensembleConfig(ctx)
}

func (o Ops) ensembleConfig(ctx context.Context) (EnsembleConfig, error) {
	data, _, err := o.Get(ctx, configPath)
	if err != nil {
		return EnsembleConfig{}, err
	}
	return definiteConfig(jute.OpGetData, data)
}

func definiteConfig(op jute.Op, data []byte) (EnsembleConfig, error) {
	cfg, err := ParseEnsembleConfig(string(data))
	if err != nil {
		return EnsembleConfig{}, &OpError{Op: op.String(), Path: configPath, Outcome: Definite, Err: err}
	}
	return cfg, nil
}
