package health

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/zookit/zookit/client/admin"
)

// verdict is what is to be said of an ensemble. Its JSON is documented and stable: names are added, none is changed.
type verdict struct {
	Healthy  bool     `json:"healthy"`
	Problems []string `json:"problems"` // of servers, with their addresses, and of the whole
	Notes    []string `json:"notes"`    // what is no problem, and good to know
	Servers  []server `json:"servers"`
}

// limits are from when on an ensemble is not healthy.
type limits struct {
	patience    time.Duration // for servers to come into step
	latency     time.Duration // of a question, at most; 0: any
	outstanding int64         // requests, at most; 0: any
}

// judge asks all servers at once, and those that are behind once more.
func judge(ctx context.Context, servers []*admin.Server, l limits) *verdict {
	v := &verdict{Problems: []string{}, Notes: []string{}}
	for _, a := range admin.All(ctx, servers, question) {
		s := serverOf(a)
		if a.Err == nil && a.Value.told != nil {
			v.note(a.Value.told)
		}
		v.Servers = append(v.Servers, s)
	}
	v.compare(ctx, l.patience)
	leaders, alone, followers := 0, 0, 0
	for i := range v.Servers {
		s := &v.Servers[i]
		switch {
		case s.err != nil:
		case l.latency > 0 && s.RoundTrip > millisOf(l.latency):
			s.fail("it took %.1f ms to answer, and --max-latency is %v", s.RoundTrip, l.latency)
		case l.outstanding > 0 && *s.Outstanding > l.outstanding:
			s.fail("%d requests are outstanding, and --max-outstanding is %d", *s.Outstanding, l.outstanding)
		}
		switch admin.Mode(s.Role) {
		case admin.Leader:
			leaders++
		case admin.Standalone:
			alone++
		case admin.Follower, admin.Observer:
			followers++
		case admin.ReadOnly:
		}
		if s.Problem != "" {
			v.Problems = append(v.Problems, s.Address+": "+s.Problem)
		}
	}
	switch {
	case leaders > 1:
		v.Problems = append(v.Problems, fmt.Sprintf("%d servers lead: they are of several ensembles, or the leader has just changed", leaders))
	case alone > 0 && len(v.Servers) > 1:
		v.Problems = append(v.Problems, "a server is standalone: it is no part of the ensemble")
	case leaders == 0 && followers > 0:
		v.Notes = append(v.Notes, "none of these servers leads: name all of the ensemble to see all of it")
	}
	v.Healthy = len(v.Problems) == 0
	return v
}

// note says once why there is less to be seen than could be.
func (v *verdict) note(why error) {
	text := fmt.Sprintf("not all is told: %v", why)
	if errors.Is(why, admin.ErrNotAllowed) {
		text = "watches and sessions are told by mntr, which is not allowed: put 4lw.commands.whitelist=srvr,mntr,wchs,cons into the configuration of the servers, or ask their admin endpoints by --admin-port"
	}
	if !slices.Contains(v.Notes, text) {
		v.Notes = append(v.Notes, text)
	}
}

// again is how long is waited between two questions to a server that is behind.
const again = 50 * time.Millisecond

// compare finds out who is in step: who has, within the patience, all that any of them had at first. A server that lags by what is
// just on its way is in step a moment later.
func (v *verdict) compare(ctx context.Context, patience time.Duration) {
	var newest int64
	for _, s := range v.Servers {
		newest = max(newest, s.zxid)
	}
	if len(v.Servers) == 1 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	behind := func(zxid int64) bool {
		// An epoch that has no transaction yet is begun by the leader alone.
		return zxid < newest && uint32(newest) != 0
	}
	for i := range v.Servers {
		s := &v.Servers[i]
		if s.err != nil {
			continue
		}
		n := newest - s.zxid
		if !behind(s.zxid) {
			n = 0
		}
		step := true
		s.Behind, s.InStep = &n, &step
		for zxid := s.zxid; behind(zxid); {
			if now, err := s.asked.Srvr(ctx); err == nil {
				zxid = now.Zxid
			}
			if behind(zxid) && !wait(ctx, again) {
				step = false
				s.fail("it is not in step: it has %#x, and others had %#x %v ago", uint64(zxid), uint64(newest), patience)
				break
			}
		}
	}
}

// wait returns false when ctx has ended before.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
