package conformance

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/trial"
	"github.com/zookit/zookit/internal/jute"
	"github.com/zookit/zookit/zktest"
)

// TestConformanceReadOnly: zktest, read-only, answers as a real server does that is cut off
// from its ensemble: with sessions of its own, and without.
func TestConformanceReadOnly(t *testing.T) {
	t.Parallel()
	for name, local := range map[string]bool{"local sessions": true, "none": false} {
		t.Run(name, func(t *testing.T) {
			opts := []ensemble.Option{ensemble.WithJVMFlags("-Dreadonlymode.enabled=true")}
			var fake []zktest.Option
			if local {
				opts = append(opts, ensemble.WithConfig("localSessionsEnabled", "true"), ensemble.WithConfig("localSessionsUpgradingEnabled", "true"))
			} else {
				fake = append(fake, zktest.WithoutLocalSessions())
			}
			e := ensemble.Start(t, 3, opts...)
			ctx := trial.Within(t, 2*time.Minute)
			s := e.Servers()
			truth := converse(t, s[0].Addr(), func(k *talk) {
				readOnlyTalk(k, func(on bool) {
					for _, other := range s[1:] {
						if on {
							// One that is killed while it begins its first log cannot read it again.
							require.Eventually(t, func() bool {
								answer, err := other.FourLetter(ctx, "mntr")
								return err == nil && !strings.Contains(answer, "zk_cnt_sync_processor_batch_size\t0\n")
							}, time.Minute, 10*time.Millisecond)
							require.NoError(t, other.Kill(ctx))
						} else {
							require.NoError(t, other.Restart(ctx))
						}
					}
					if !on {
						require.NoError(t, e.WaitServing(ctx))
						return
					}
					require.Eventually(t, func() bool {
						answer, err := s[0].FourLetter(ctx, "isro")
						return err == nil && strings.TrimSpace(answer) == "ro"
					}, time.Minute, 50*time.Millisecond)
				})
			})
			z := zktest.Start(t, fake...)
			require.Equal(t, truth, converse(t, z.Addr(), func(k *talk) { readOnlyTalk(k, z.SetReadOnly) }), "real server above, zktest below")
		})
	}
}

// readOnlyTalk is a conversation with a server which turn makes read-only and which it ends.
func readOnlyTalk(k *talk, turn func(on bool)) {
	k.createAs("global", "/e", jute.FlagEphemeral)
	global := k.speaks("global").at
	k.base = 0
	v := k.greet("once more", &jute.ConnectRequest{TimeoutMillis: 30_000, Password: make([]byte, 16)})
	k.setBase(v)
	k.create("global", "/a")
	k.lines = nil
	turn(true)
	for who := range k.voices {
		delete(k.voices, who)
	}
	greet := func(who string, r *jute.ConnectRequest) *voice {
		r.TimeoutMillis = 30_000
		if r.Password == nil {
			r.Password = make([]byte, 16)
		}
		return k.greet(who, r)
	}
	greet("not read-only", &jute.ConnectRequest{})
	greet("old client", &jute.ConnectRequest{OldClient: true})
	greet("later zxid", &jute.ConnectRequest{ReadOnly: true, LastZxidSeen: 1 << 60})
	greet("unknown", &jute.ConnectRequest{ReadOnly: true, SessionID: 0x1234})
	greet("wrong password", &jute.ConnectRequest{ReadOnly: true, SessionID: global.SessionID})
	greet("global session", &jute.ConnectRequest{ReadOnly: true, SessionID: global.SessionID, Password: global.Password})
	greet("the same, not read-only", &jute.ConnectRequest{SessionID: global.SessionID, Password: global.Password})
	var own *jute.ConnectResponse
	if v := greet("own", &jute.ConnectRequest{ReadOnly: true}); v != nil {
		own = v.at
		greet("own again", &jute.ConnectRequest{ReadOnly: true, SessionID: own.SessionID, Password: own.Password})
		k.operate("own again")
	}
	turn(false)
	for who := range k.voices {
		delete(k.voices, who)
	}
	if own != nil {
		greet("own, later", &jute.ConnectRequest{ReadOnly: true, SessionID: own.SessionID, Password: own.Password})
	}
	greet("global, later", &jute.ConnectRequest{ReadOnly: true, SessionID: global.SessionID, Password: global.Password})
}

// operate asks for everything on one connection.
func (k *talk) operate(who string) {
	delete(k.voices, "unknown")
	delete(k.voices, "own")
	node := &jute.CreateRequest{Path: "/b", ACL: open()}
	for _, r := range []jute.MultiOp{
		{Op: jute.OpGetData, Body: &jute.PathWatchRequest{Path: "/a"}},
		{Op: jute.OpExists, Body: &jute.PathWatchRequest{Path: "/a", Watch: true}},
		{Op: jute.OpGetChildren2, Body: &jute.PathWatchRequest{Path: "/a", Watch: true}},
		{Op: jute.OpGetACL, Body: &jute.PathRequest{Path: "/a"}},
		{Op: jute.OpSync, Body: &jute.PathRequest{Path: "/a"}},
		{Op: jute.OpCreate, Body: node},
		{Op: jute.OpCreate},
		{Op: jute.OpCreate2, Body: node},
		{Op: jute.OpCreateContainer, Body: node},
		{Op: jute.OpCreateTTL, Body: &jute.CreateTTLRequest{CreateRequest: *node, TTLMillis: 5}},
		{Op: jute.OpSetData, Body: &jute.SetDataRequest{Path: "/a", Version: -1}},
		{Op: jute.OpDelete, Body: &jute.PathVersionRequest{Path: "/a", Version: -1}},
		{Op: jute.OpSetACL, Body: &jute.SetACLRequest{Path: "/a", ACL: open(), Version: -1}},
		{Op: jute.OpCheck, Body: &jute.PathVersionRequest{Path: "/a", Version: -1}},
		{Op: jute.OpMulti, Body: &jute.MultiRequest{}},
		{Op: jute.OpMultiRead, Body: &jute.MultiRequest{Ops: []jute.MultiOp{{Op: jute.OpGetData, Body: &jute.PathWatchRequest{Path: "/a"}}}}},
		{Op: jute.OpReconfig, Body: &jute.ReconfigRequest{Config: -1}},
		{Op: jute.OpGetEphemerals, Body: &jute.PathRequest{Path: "/"}},
		{Op: jute.OpGetAllChildrenNumber, Body: &jute.PathRequest{Path: "/a"}},
		{Op: jute.OpWhoAmI},
		{Op: jute.OpAuth, Body: &jute.AuthRequest{Scheme: "digest", Auth: []byte("u:p")}},
		{Op: jute.OpAddWatch, Body: &jute.PathTypeRequest{Path: "/a"}},
		{Op: jute.OpRemoveWatches, Body: &jute.PathTypeRequest{Path: "/a", Type: jute.WatchAny}},
		{Op: jute.OpPing},
		{Op: jute.OpCloseSession},
	} {
		k.ask(who, r.Op, r.Body)
	}
}
