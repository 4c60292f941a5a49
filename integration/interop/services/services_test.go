package services

import (
	"encoding/json"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/discovery"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/faultproxy"
	"github.com/zookit/zookit/integration/trial"
)

const base = "/services"

// TestServices: Curator's and zookit's instances are each other's.
func TestServices(t *testing.T) {
	command := curatorCommand(t)
	e := ensemble.Start(t, 1)
	p := launch(t, command, e.Connect(), steady, base)
	t.Run("bytes", func(t *testing.T) { rewritten(t, p) })
	t.Run("theirs", func(t *testing.T) { theirs(t, e, p, command) })
	t.Run("ours", func(t *testing.T) { ours(t, e, p) })
}

// rewritten has Curator read what zookit writes, and write it: nothing changes.
func rewritten(t *testing.T, p *peer) {
	uri, err := discovery.ParseURISpec("{scheme}://{address}:{port}/x?<>{ssl-port}")
	require.NoError(t, err)
	spring := "org.springframework.cloud.zookeeper.discovery.ZookeeperInstance"
	require.Equal(t, discovery.SpringClass, spring)
	payloads := map[string][]json.RawMessage{
		"java.lang.String": {
			nil, discovery.StringPayload(""), discovery.StringPayload("q\"b\\s/<>&'\u0000\u0001\u001f\n\t\b\f\r\u007f\u0080é\u2028\ufeff\uffff😀𐀀"),
		},
		"java.lang.Object": {json.RawMessage(`5`), json.RawMessage(`true`), json.RawMessage(`{"@class":"java.util.TreeMap","a":1}`)},
		spring:             {discovery.SpringPayload("application-1", "svc", map[string]string{"zone": "é\n"}), discovery.SpringPayload("", "", nil)},
	}
	for class, all := range payloads {
		for _, payload := range all {
			for _, i := range []discovery.Instance{
				{Name: "svc", ID: "a", Address: "10.0.0.1", Port: 80, SSLPort: 443, Payload: payload, Registered: time.UnixMilli(1700000000123), URISpec: uri},
				{Name: "é", ID: "b", Address: "h", Payload: payload, Registered: time.UnixMilli(1), Type: discovery.Permanent, URISpec: &discovery.URISpec{}},
				{Name: "n", ID: "c", Payload: payload, Registered: time.UnixMilli(1), Type: discovery.Static, Disabled: true},
			} {
				for _, full := range []bool{false, true} {
					if i.Disabled && !full {
						continue // which only zookit writes
					}
					text := coded(t, i, full)
					if i.Address == "" { // Curator keeps an empty one
						require.Contains(t, string(plain(t, text)), `"address":""`)
					}
					got := p.tell(t, "rewrite", class, strconv.FormatBool(full), text)
					require.Equal(t, string(plain(t, text)), string(plain(t, got)))
				}
			}
		}
	}
}

// theirs: zookit sees what Curator registers, to the byte, and that it goes when its process is killed.
func theirs(t *testing.T, e *ensemble.Ensemble, p *peer, command []string) {
	ctx := trial.Within(t, patience)
	cl := trial.Connect(t, e.Connect(), client.WithSessionTimeout(steady))
	d := discovery.New(cl, base)
	s, err := d.Watch(ctx, "theirs")
	require.NoError(t, err)
	defer s.Close()
	mortal := launch(t, command, e.Connect(), brief, base)
	a := discovery.Instance{Name: "theirs", ID: "a", Address: "10.0.0.1", Port: 80, Payload: discovery.StringPayload("hi"), Registered: time.UnixMilli(1)}
	b := a
	b.ID, b.Type = "b", discovery.Permanent
	p.tell(t, "register", coded(t, a, false))
	p.tell(t, "register", coded(t, b, false))
	c := a
	c.ID = "c"
	mortal.tell(t, "register", coded(t, c, false))
	await(t, s, a, b, c)
	for _, i := range []discovery.Instance{a, b, c} {
		data, _, err := cl.Get(ctx, base+"/theirs/"+i.ID)
		require.NoError(t, err)
		want, err := discovery.Encode(i, false)
		require.NoError(t, err)
		require.Equal(t, string(want), string(data))
	}
	mortal.kill(t)
	await(t, s, a, b)
	p.tell(t, "unregister", coded(t, b, false))
	await(t, s, a)
	names, err := d.Names(ctx)
	require.NoError(t, err)
	require.Contains(t, names, "theirs")
	p.tell(t, "unregister", coded(t, a, false))
	await(t, s)
}

// ours: Curator sees what zookit registers, disables and unregisters; once, also when replies and the session are lost.
func ours(t *testing.T, e *ensemble.Ensemble, p *peer) {
	ctx := trial.Within(t, patience)
	proxy := faultproxy.Start(t, e.Servers()[0].Addr())
	cl := trial.Connect(t, proxy.Addr(), client.WithSessionTimeout(brief))
	d := discovery.New(cl, base)
	uri, err := discovery.ParseURISpec("{scheme}://{address}:{port}")
	require.NoError(t, err)
	a := discovery.Instance{Name: "ours", ID: "a", Address: "10.0.0.1", Port: 80, Payload: discovery.StringPayload("é😀"), Registered: time.UnixMilli(1), URISpec: uri}
	b := a
	b.ID, b.Type = "b", discovery.Static
	proxy.SwallowReply(func(r faultproxy.Request) bool { return r.Path == base+"/ours/a" && r.Op == faultproxy.OpCreate2 }, faultproxy.ThenCut)
	ra, err := d.Register(ctx, a)
	require.NoError(t, err)
	rb, err := d.Register(ctx, b)
	require.NoError(t, err)
	seen := func(want ...discovery.Instance) {
		t.Helper()
		for _, how := range []string{"query", "cached"} {
			require.Eventually(t, func() bool {
				return assert.ObjectsAreEqual(append([]discovery.Instance{}, want...), p.list(t, how, "ours"))
			}, patience, 50*time.Millisecond, "%s: %v", how, want)
		}
	}
	seen(a, b)
	a.Disabled = true
	require.NoError(t, ra.Update(ctx, a))
	seen(a, b)
	a.Disabled = false
	require.NoError(t, ra.Update(ctx, a))
	seen(a, b)

	// The session is lost: it is registered again.
	proxy.Refuse()
	proxy.Cut()
	for s := range cl.States(ctx) {
		if s.State == client.Lost {
			break
		}
	}
	seen(b)
	require.NoError(t, proxy.Accept())
	seen(a, b)
	require.NoError(t, rb.Unregister(ctx))
	require.NoError(t, ra.Unregister(ctx))
	seen()
}

// await waits until the service has these instances.
func await(t *testing.T, s *discovery.Service, want ...discovery.Instance) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		assert.Equal(c, append([]discovery.Instance{}, want...), s.Instances())
		assert.Empty(c, s.Rejected())
	}, patience, 20*time.Millisecond)
}
