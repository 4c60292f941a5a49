package health

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/zookit/zookit/client/admin"
	"github.com/zookit/zookit/cmd/zookit/internal/output"
)

// server is what one server has said of itself. What it does not tell is nil.
type server struct {
	Address string `json:"address"`
	OK      bool   `json:"ok"`
	Role    string `json:"role,omitempty"`
	Version string `json:"version,omitempty"`
	Zxid    string `json:"zxid,omitempty"`
	// Behind is how many transactions it was behind the newest that any server had when it was asked first; InStep tells
	// whether it had them within the patience that was given.
	Behind *int64 `json:"behind,omitempty"`
	InStep *bool  `json:"inStep,omitempty"`
	// RoundTrip is what the question took (srvr), the others what clients' requests did, as the server counts.
	RoundTrip   millis  `json:"roundTripMs"`
	Latency     *millis `json:"latencyMs,omitempty"`
	LatencyMost *millis `json:"latencyMaxMs,omitempty"`
	Connections *int64  `json:"connections,omitempty"`
	Sessions    *int64  `json:"sessions,omitempty"` // of the whole ensemble, by its leader; since 3.6
	Watches     *int64  `json:"watches,omitempty"`
	Outstanding *int64  `json:"outstanding,omitempty"`
	Nodes       *int64  `json:"nodes,omitempty"`
	Problem     string  `json:"problem,omitempty"`

	asked *admin.Server
	zxid  int64
	err   error
}

// millis is a time in milliseconds, with fractions.
type millis float64

func millisOf(d time.Duration) millis { return millis(float64(d.Microseconds()) / 1000) }

// answers is what a server has been asked.
type answers struct {
	srvr *admin.Srvr
	took time.Duration // for that
	mntr *admin.Mntr   // nil: not allowed
	wchs *admin.WatchSummary
	told error // why more was not told
}

// question asks a server everything, one word after the other. Only srvr has to be answered.
func question(s *admin.Server, ctx context.Context) (answers, error) { //nolint:revive // as admin.All calls it
	var a answers
	began := time.Now()
	var err error
	if a.srvr, err = s.Srvr(ctx); err != nil {
		return a, err
	}
	a.took = time.Since(began)
	if a.mntr, err = s.Mntr(ctx); err == nil {
		return a, nil
	}
	a.told = err
	if a.wchs, err = s.Wchs(ctx); err != nil {
		a.wchs = nil
	}
	return a, nil
}

// serverOf is what became of the question.
func serverOf(a admin.Answer[answers]) server {
	s := server{Address: a.Server.Addr(), asked: a.Server, err: a.Err, RoundTrip: millisOf(a.Took)}
	if a.Err != nil {
		s.Problem = problem(a.Err)
		return s
	}
	said := a.Value.srvr
	s.RoundTrip = millisOf(a.Value.took)
	s.OK, s.Role, s.Version, s.zxid, s.Zxid = true, string(said.Mode), said.Version.String(), said.Zxid, fmt.Sprintf("%#x", uint64(said.Zxid))
	average, most := millisOf(said.Latency.Avg), millisOf(said.Latency.Max)
	s.Latency, s.LatencyMost = &average, &most
	s.Connections, s.Outstanding, s.Nodes = &said.Connections, &said.Outstanding, &said.Nodes
	switch m := a.Value.mntr; {
	case m != nil:
		s.Watches = &m.Watches
		if n, ok := m.Number("zk_global_sessions"); ok {
			sessions := int64(n)
			s.Sessions = &sessions
		}
	case a.Value.wchs != nil:
		s.Watches = &a.Value.wchs.Watches
	}
	if said.Mode == admin.ReadOnly {
		s.fail("it is in read-only mode: it has lost its quorum")
	}
	return s
}

// reached tells whether the server has answered anything.
func (s *server) reached() bool {
	for _, answered := range []error{admin.ErrNotAllowed, admin.ErrNotServing, admin.ErrMalformed} {
		if errors.Is(s.err, answered) {
			return true
		}
	}
	return s.err == nil
}

func (s *server) fail(format string, args ...any) {
	s.OK = false
	if s.Problem != "" {
		s.Problem += "; "
	}
	s.Problem += fmt.Sprintf(format, args...)
}

// problem says what an error means, and what to do.
func problem(err error) string {
	switch {
	case errors.Is(err, admin.ErrNotAllowed):
		return "it does not answer srvr: put 4lw.commands.whitelist=srvr,mntr,wchs,cons into its configuration, or ask its admin endpoint by --admin-port"
	case errors.Is(err, admin.ErrNotServing):
		return "it runs and does not serve: it has no quorum"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, admin.ErrNoAnswer), errors.Is(err, admin.ErrMalformed):
		return fmt.Sprintf("it does not answer as ZooKeeper does: %v", err)
	}
	return fmt.Sprintf("not reached: %v", err)
}

// Table implements [output.Document].
func (v *verdict) Table() output.Table {
	t := output.Table{Header: []string{"SERVER", "STATE", "ROLE", "VERSION", "ZXID", "BEHIND", "ROUND TRIP", "LATENCY", "CONNECTIONS", "SESSIONS", "WATCHES", "OUTSTANDING"}}
	for _, s := range v.Servers {
		state := "ok"
		if !s.OK {
			state = "NOT OK"
		}
		t.Rows = append(t.Rows, []string{
			s.Address, state, dash(s.Role), dash(s.Version), dash(s.Zxid), count(s.Behind), fmt.Sprintf("%.1f ms", s.RoundTrip), s.latency(),
			count(s.Connections), count(s.Sessions), count(s.Watches), count(s.Outstanding),
		})
	}
	return t
}

// Raw implements [output.Document]: a line for each server, of its address and its state.
func (v *verdict) Raw() []byte {
	var out strings.Builder
	for _, s := range v.Servers {
		state := "ok"
		if !s.OK {
			state = "not-ok"
		}
		fmt.Fprintf(&out, "%s\t%s\t%s\n", s.Address, state, dash(s.Role))
	}
	return []byte(out.String())
}

func (s *server) latency() string {
	if s.Latency == nil {
		return "-"
	}
	return fmt.Sprintf("%.1f/%.1f ms", *s.Latency, *s.LatencyMost)
}

func count(n *int64) string {
	if n == nil {
		return "-"
	}
	return fmt.Sprint(*n)
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
