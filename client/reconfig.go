package client

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/zookit/zookit/internal/jute"
)

// AnyConfig, as the version that [Client.Reconfig] starts from, matches every configuration.
const AnyConfig int64 = -1

// Reconfiguration is a change of the ensemble: either servers that join and leave, or
// all its members anew.
type Reconfiguration struct {
	// Joining servers become members, or are changed if they are members already. They
	// have to run, with the present members and themselves in their files.
	Joining []EnsembleServer
	// Leaving are the ids of members that are none any more. They go on running.
	Leaving []int64
	// Members, if not empty, are all members; Joining and Leaving are empty then.
	Members []EnsembleServer
}

// Reconfig changes the ensemble, if the version of its configuration is from, or
// whatever it is for [AnyConfig], and returns the new configuration. It needs
// reconfigEnabled=true on the servers and the right to write the node
// /zookeeper/config, which at first nobody but the super user has.
//
// A change of the leader, to which a reconfiguration may lead, ends the connection. Then the client
// looks at the configuration, in the same session and behind a commit of the quorum: if its
// version is still the old one the change was not made, and is made; if what was asked
// for is there the call succeeds; otherwise the outcome is Unknown.
//
// Errors: [ErrNoAuth], [ErrReconfigDisabled], [ErrReconfigInProgress], [ErrNewConfigNoQuorum],
// [ErrBadVersion] (from), [ErrBadArgument] (from the servers for an ensemble of less than two, for
// example; also for two servers at one address, which 3.8 would
// accept and suffer from), [ErrUnimplemented] before ZooKeeper 3.5 and on a server that stands alone.
func (c *Client) Reconfig(ctx context.Context, change Reconfiguration, from int64) (EnsembleConfig, error) {
	o := Ops{c: c, bare: true}
	if rule := change.check(); rule != "" {
		return EnsembleConfig{}, refused(jute.OpReconfig, configPath, fmt.Errorf("%w: %s", ErrBadArgument, rule))
	}
	if from < AnyConfig {
		return EnsembleConfig{}, refused(jute.OpReconfig, configPath, fmt.Errorf("%w: the version %d is negative", ErrBadArgument, from))
	}
	before, err := o.ensembleConfig(ctx)
	if err != nil {
		return EnsembleConfig{}, err
	}
	if rule := change.clash(before); rule != "" {
		return EnsembleConfig{}, refused(jute.OpReconfig, configPath, fmt.Errorf("%w: %s", ErrBadArgument, rule))
	}
	var reply jute.DataReply
	err = o.attempt(ctx, &request{
		op: jute.OpReconfig, path: configPath, reply: &reply,
		body: &jute.ReconfigRequest{Joining: serverList(change.Joining), Leaving: joinIDs(change.Leaving, ","), NewMembers: serverList(change.Members), Config: from},
		lost: func(ctx context.Context, s *Session, _ int64) (error, bool) {
			same := Ops{c: c, s: s, bare: true}
			if err := same.barrier(ctx); err != nil {
				return err, false
			}
			data, _, err := same.Get(ctx, configPath)
			if err != nil {
				return err, false
			}
			now, err := definiteConfig(jute.OpGetData, data)
			switch {
			case err != nil:
				return err, false
			case now.Version == before.Version:
				return errAgain, true
			case change.in(now):
				reply.Data = data
				return nil, true
			}
			return fmt.Errorf("the configuration has changed to version %x, without what was asked for", now.Version), false
		},
	})
	if err != nil {
		return EnsembleConfig{}, err
	}
	return definiteConfig(jute.OpReconfig, reply.Data)
}

// check returns what is wrong with the change, or "".
func (r Reconfiguration) check() string {
	switch {
	case len(r.Joining)+len(r.Leaving)+len(r.Members) == 0:
		return "a reconfiguration without any change"
	case len(r.Members) > 0 && len(r.Joining)+len(r.Leaving) > 0:
		return "either Members, or Joining and Leaving"
	}
	seen := map[int64]bool{}
	for _, s := range slices.Concat(r.Joining, r.Members) {
		if rule := s.check(); rule != "" {
			return fmt.Sprintf("server %d: %s", s.ID, rule)
		}
		if seen[s.ID] {
			return fmt.Sprintf("server %d comes twice", s.ID)
		}
		seen[s.ID] = true
	}
	for _, id := range r.Leaving {
		if seen[id] {
			return fmt.Sprintf("server %d comes twice", id)
		}
		seen[id] = true
	}
	return ""
}

// clash returns which servers would share an address, or "".
func (r Reconfiguration) clash(before EnsembleConfig) string {
	after := slices.Concat(r.Joining, r.Members)
	if len(r.Members) == 0 {
		for _, s := range before.Servers {
			if !slices.Contains(r.Leaving, s.ID) && !slices.ContainsFunc(r.Joining, func(j EnsembleServer) bool { return j.ID == s.ID }) {
				after = append(after, s)
			}
		}
	}
	owner := map[server]int64{}
	for _, s := range after {
		used := map[server]bool{}
		for _, c := range s.clientServers() {
			used[c] = true
		}
		for _, a := range s.Addrs {
			used[server{a.Host, strconv.Itoa(a.QuorumPort)}] = true
			used[server{a.Host, strconv.Itoa(a.ElectionPort)}] = true
		}
		for addr := range used {
			if other, taken := owner[addr]; taken {
				return fmt.Sprintf("servers %d and %d would share the address %v", min(other, s.ID), max(other, s.ID), addr)
			}
			owner[addr] = s.ID
		}
	}
	return ""
}

// in tells whether a configuration has all that was asked for.
func (r Reconfiguration) in(c EnsembleConfig) bool {
	for _, s := range slices.Concat(r.Joining, r.Members) {
		if is, ok := c.Server(s.ID); !ok || is.String() != s.String() {
			return false
		}
	}
	for _, id := range r.Leaving {
		if _, still := c.Server(id); still {
			return false
		}
	}
	return len(r.Members) == 0 || len(r.Members) == len(c.Servers)
}

func serverList(servers []EnsembleServer) string {
	out := make([]string, len(servers))
	for i, s := range servers {
		out[i] = s.String()
	}
	return strings.Join(out, ",")
}
