package ensemble

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhole(t *testing.T) {
	a, b, c := newServer(1, outsider("a:1"), false), newServer(2, outsider("b:2"), false), newServer(3, outsider("c:3"), false)
	leads := func(s *Server, synced int) sighting {
		return sighting{server: s, status: status{mode: modeLeader, synced: synced}}
	}
	is := func(s *Server, mode string) sighting {
		return sighting{server: s, status: status{mode: mode, synced: unknown}}
	}
	for name, test := range map[string]struct {
		seen   []sighting
		leader *Server
		fails  string
	}{
		"single":            {seen: []sighting{is(a, modeStandalone)}, leader: a},
		"whole":             {seen: []sighting{is(a, modeFollower), leads(b, 2), is(c, modeFollower)}, leader: b},
		"one is dead":       {seen: []sighting{leads(b, 1), is(c, modeFollower)}, leader: b},
		"dropped later":     {seen: []sighting{leads(b, 2), is(c, modeFollower)}, leader: b},
		"mntr not allowed":  {seen: []sighting{leads(b, unknown), is(c, modeFollower)}, leader: b},
		"observer":          {seen: []sighting{leads(b, 1), is(a, "observer"), is(c, modeFollower)}, leader: b},
		"not in step":       {seen: []sighting{is(a, modeFollower), leads(b, 1), is(c, modeFollower)}, fails: "server 2 (b:2) leads, with 1 of 2 followers in step"},
		"no leader":         {seen: []sighting{is(a, modeFollower), is(c, modeFollower)}, fails: "0 of the servers lead"},
		"deposed":           {seen: []sighting{leads(a, 0), leads(b, 1), is(c, modeFollower)}, fails: "2 of the servers lead"},
		"read-only":         {seen: []sighting{is(a, modeReadOnly), leads(b, 1), is(c, modeFollower)}, fails: "server 1 (a:1): read-only has no quorum"},
		"one is starting":   {seen: []sighting{{server: a, err: errNotServing}, leads(b, 1), is(c, modeFollower)}, fails: "server 1 (a:1): " + errNotServing.Error()},
		"nobody is serving": {seen: []sighting{{server: a, err: errNotServing}, {server: b, err: errors.New("refused")}}, fails: "server 2 (b:2): refused"},
	} {
		t.Run(name, func(t *testing.T) {
			leader, followers, err := whole(test.seen)
			if test.fails != "" {
				require.ErrorContains(t, err, test.fails)
				return
			}
			require.NoError(t, err)
			require.Same(t, test.leader, leader)
			for _, s := range test.seen {
				if s.status.mode == modeFollower {
					require.Contains(t, followers, s.server)
				} else {
					require.NotContains(t, followers, s.server)
				}
			}
		})
	}
}
