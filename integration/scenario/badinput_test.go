package scenario

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/integration/ensemble"
	"github.com/zookit/zookit/integration/faultproxy"
	"github.com/zookit/zookit/integration/trial"
	"github.com/zookit/zookit/lock"
	"github.com/zookit/zookit/recipes"
)

// atOnce is how long an answer may take that needs no server, or one that works.
const atOnce = 5 * time.Second

// requireRefused checks an error about input: it comes at once, is of the kind want,
// and names what was wrong and the rule.
func requireRefused(t *testing.T, began time.Time, err, want error, says ...string) {
	t.Helper()
	require.ErrorIs(t, err, want)
	require.Less(t, time.Since(began), atOnce)
	for _, s := range says {
		require.ErrorContains(t, err, s)
	}
}

// TestBadServerLists: nothing is dialled for a server list with a mistake in it, not even
// the servers in it that could be.
func TestBadServerLists(t *testing.T) {
	e := ensemble.Start(t, 1)
	p := faultproxy.Start(t, e.Servers()[0].Addr())
	good := p.Addr()
	for _, c := range []struct {
		list string
		says []string
	}{
		{"", []string{`""`, "names no server", "host:port,host:port/chroot"}},
		{" ", []string{`" "`, "names no server"}},
		{"/stacks", []string{`"/stacks"`, "names no server"}},
		{good + ",", []string{`entry ""`, "empty"}},
		{"," + good, []string{`entry ""`, "empty"}},
		{good + ",zk2:0", []string{`"zk2:0"`, "1 to 65535"}},
		{good + ",zk2:65536", []string{`"zk2:65536"`, "1 to 65535"}},
		{good + ",zk2:", []string{`"zk2:"`, "1 to 65535"}},
		{good + ",zk2:port", []string{`"zk2:port"`, "1 to 65535"}},
		{good + ",zk2:-1", []string{`"zk2:-1"`, "1 to 65535"}},
		{good + ",:2181", []string{`":2181"`, "not a name or an address"}},
		{good + ",zk 2:2181", []string{`"zk 2:2181"`, "not a name or an address"}},
		{good + ",[::1", []string{`"[::1"`, "not host:port", "brackets"}},
		{good + ",[zk2::]:2181", []string{`"[zk2::]:2181"`, "not an IPv6 address"}},
		{good + ",zk2:2181:2181", []string{`"zk2:2181:2181"`, "not host:port"}},
		{good + ";" + good, []string{good, "not host:port"}},
		{"zk://" + good, []string{`"zk://` + good, "no URL", "host:port,host:port/chroot"}},
		{good + "/a," + good, []string{"chroot", "once, behind the last server"}},
		{good + "/a/", []string{`"/a/"`, "must not end with /"}},
		{good + "//a", []string{`"//a"`, "empty element"}},
		{good + "/a/../b", []string{`"/a/../b"`, "relative"}},
		{good + "/a\x00b", []string{`"/a\x00b"`, "U+0000"}},
		{strings.Repeat(good+",", 500), []string{"bytes", `entry ""`}},
	} {
		began := time.Now()
		cl, err := client.Connect(t.Context(), c.list)
		requireRefused(t, began, err, client.ErrBadArgument, c.says...)
		require.Nil(t, cl)
		require.Less(t, len(err.Error()), 400, "the message is for reading")
	}
	require.Zero(t, p.Accepted(), "nothing was dialled")
}

// TestBadOptions: nothing is dialled with an option that cannot be, and secrets are in no error.
func TestBadOptions(t *testing.T) {
	e := ensemble.Start(t, 1)
	p := faultproxy.Start(t, e.Servers()[0].Addr())
	for name, c := range map[string]struct {
		opt  client.Option
		says []string
	}{
		"no session timeout":       {client.WithSessionTimeout(0), []string{"WithSessionTimeout", "0s", "between 1s and"}},
		"negative session timeout": {client.WithSessionTimeout(-time.Second), []string{"WithSessionTimeout", "-1s"}},
		"short session timeout":    {client.WithSessionTimeout(999 * time.Millisecond), []string{"WithSessionTimeout", "999ms"}},
		"long session timeout":     {client.WithSessionTimeout(30 * 24 * time.Hour), []string{"WithSessionTimeout", "720h0m0s"}},
		"no scheme":                {client.WithAuth("", "heat:secret"), []string{"WithAuth", "scheme"}},
		"digest without colon":     {client.WithAuth("digest", "secret"), []string{"WithAuth", "user:password"}},
		"digest without user":      {client.WithAuth("digest", ":secret"), []string{"WithAuth", "user:password"}},
		"digest without password":  {client.WithAuth("digest", "secret:"), []string{"WithAuth", "user:password"}},
		"no ACL":                   {client.WithDefaultACL(), []string{"WithDefaultACL", "empty ACL"}},
		"ACL digest without colon": {client.WithDefaultACL(client.ACL{Perms: client.PermAll, Scheme: "digest", ID: "secret"}), []string{"user:digest"}},
		"ACL without permissions":  {client.WithDefaultACL(client.WorldACL(0)), []string{"permissions 0x0"}},
		"nil":                      {nil, []string{"nil"}},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			_, err := client.Connect(t.Context(), p.Addr(), c.opt)
			requireRefused(t, began, err, client.ErrBadArgument, c.says...)
			require.NotContains(t, err.Error(), "secret")
		})
	}
	require.Zero(t, p.Accepted(), "nothing was dialled")
}

// TestSessionTimeoutOutOfTheServersRange: the servers' limits hold, and the session
// tells what they have made of it.
func TestSessionTimeoutOutOfTheServersRange(t *testing.T) {
	e := ensemble.Start(t, 1, ensemble.WithSessionTimeouts(3*time.Second, 20*time.Second))
	for asked, granted := range map[time.Duration]time.Duration{time.Second: 3 * time.Second, 7 * time.Second: 7 * time.Second, time.Hour: 20 * time.Second} {
		cl := trial.Connect(t, e.Connect(), client.WithSessionTimeout(asked))
		s, err := cl.Session(t.Context())
		require.NoError(t, err)
		require.Equal(t, granted, s.Timeout())
		began := time.Now()
		held, err := lock.NewMutex(cl, "/range").Lock(trial.Within(t, 20*time.Second))
		require.NoError(t, err)
		require.LessOrEqual(t, held.ValidUntil().Sub(began), granted)
		require.NoError(t, held.Unlock(t.Context()))
	}
}

// TestBadPaths: an operation on a path that cannot be is refused, and nothing is sent.
func TestBadPaths(t *testing.T) {
	e := ensemble.Start(t, 1)
	cl := connectCounted(t, e)
	ctx := t.Context()
	operations := map[string]func(path string) error{
		"create":    func(p string) error { _, err := cl.Create(ctx, p, nil); return err },
		"get":       func(p string) error { _, _, err := cl.Get(ctx, p); return err },
		"getW":      func(p string) error { _, _, _, err := cl.GetW(ctx, p); return err },
		"set":       func(p string) error { _, err := cl.Set(ctx, p, nil, 0); return err },
		"delete":    func(p string) error { return cl.Delete(ctx, p, 0) },
		"deleteAll": func(p string) error { return cl.DeleteAll(ctx, p) },
		"exists":    func(p string) error { _, _, err := cl.Exists(ctx, p); return err },
		"existsW":   func(p string) error { _, _, _, err := cl.ExistsW(ctx, p); return err },
		"children":  func(p string) error { _, _, err := cl.Children(ctx, p); return err },
		"sync":      func(p string) error { return cl.Sync(ctx, p) },
		"getACL":    func(p string) error { _, _, err := cl.GetACL(ctx, p); return err },
		"txn": func(p string) error {
			_, err := cl.Txn().Check("/", client.AnyVersion).Delete(p, 0).Commit(ctx)
			return err
		},
		"lock":    func(p string) error { _, err := lock.NewMutex(cl.Client, p).Lock(ctx); return err },
		"tryLock": func(p string) error { _, err := lock.NewMutex(cl.Client, p).TryLock(ctx); return err },
		"contenders": func(p string) error {
			_, err := lock.NewMutex(cl.Client, p, lock.WithLayout(recipes.Kazoo)).Contenders(ctx)
			return err
		},
	}
	cl.take()
	for path, rule := range map[string]string{
		"": "empty", "stacks": "begin with /", "stacks/42": "begin with /", "/stacks/": "end with /", "//": "", "//stacks": "empty element",
		"/stacks//42": "empty element", "/stacks/./42": "relative", "/stacks/..": "relative", "/a\x00": "U+0000", "/a\x1fb": "U+001F",
		"/a\x7f": "U+007F", "/\uf8ff": "U+F8FF", "/\ufff0": "U+FFF0", "/\xff": "UTF-8", "/\U0001f512": "U+1F512",
	} {
		for name, operation := range operations {
			began := time.Now()
			err := operation(path)
			if strings.HasSuffix(path, "/") && name == "lock" {
				rule = path // what is wrong is told of the path of the node that Lock would make
			}
			requireRefused(t, began, err, client.ErrBadPath, rule)
			if op, ok := errors.AsType[*client.OpError](err); ok {
				require.Equal(t, client.NotSent, op.Outcome, "%s of %q", name, path)
				require.NotContains(t, op.Error(), "\x00", "the message is for reading")
			}
		}
	}
	require.Empty(t, cl.take(), "nothing was sent")
}

// TestDataOverTheLimit: what a server would answer by cutting the connection is refused
// and not sent; the largest request that is sent, a real ensemble takes.
func TestDataOverTheLimit(t *testing.T) {
	e := ensemble.Start(t, 3)
	ctx := trial.Within(t, 2*time.Minute)
	followers, err := e.Followers(ctx)
	require.NoError(t, err)
	p := faultproxy.Start(t, followers[0].Addr())
	cl := trial.Connect(t, p.Addr(), client.WithSessionTimeout(20*time.Second))
	const node = "/limit/node"
	byHand(t, cl, "/limit", "node", "", client.Persistent)
	blank := make([]byte, 2<<20)
	for name, write := range map[string]func(n int) error{
		"set": func(n int) error { _, err := cl.Set(ctx, node, blank[:n], client.AnyVersion); return err },
		"create": func(n int) error {
			_, err := cl.Create(ctx, "/limit/made-", blank[:n], client.WithMode(client.PersistentSequential))
			return err
		},
		"txn": func(n int) error {
			_, err := cl.Txn().Check(node, client.AnyVersion).Set(node, blank[:n], client.AnyVersion).Commit(ctx)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			requireTooLarge := func(n int) (size, limit int) {
				began, before := time.Now(), requestsOf(p)
				err := write(n)
				requireRefused(t, began, err, client.ErrTooLarge, "bytes", "limit")
				require.Equal(t, client.NotSent, client.Outcome(err))
				require.Equal(t, before, requestsOf(p), "nothing was sent")
				numbers := regexp.MustCompile(`(\d+) bytes, limit (\d+)`).FindStringSubmatch(err.Error())
				require.Len(t, numbers, 3, "%v", err)
				size, err = strconv.Atoi(numbers[1])
				require.NoError(t, err)
				limit, err = strconv.Atoi(numbers[2])
				require.NoError(t, err)
				return size, limit
			}
			size, limit := requireTooLarge(len(blank))
			require.Greater(t, limit, 1<<20-1024, "no more is refused than has to be")
			most := limit - (size - len(blank))
			requireTooLarge(most + 1)
			require.NoError(t, write(most))
		})
	}
	_, stat, err := cl.Get(ctx, node)
	require.NoError(t, err, "and what was written can be read")
	require.Greater(t, stat.DataLength, 1<<20-1024)
	_, err = lock.NewMutex(cl, "/limit/lock", lock.WithIdentifier(string(blank))).Lock(ctx)
	require.ErrorIs(t, err, client.ErrBadArgument)
	require.ErrorContains(t, err, "2097152 bytes")
	require.Equal(t, 1, p.Accepted(), "the connection was never cut")
}

func requestsOf(p *faultproxy.Proxy) (n int) {
	for _, r := range p.Requests() {
		if r.Op != faultproxy.OpPing {
			n++
		}
	}
	return n
}

// TestChrootMissing: a chroot that does not exist is an error that says what to do.
func TestChrootMissing(t *testing.T) {
	e := ensemble.Start(t, 1)
	p := faultproxy.Start(t, e.Servers()[0].Addr())
	other := trial.Connect(t, e.Connect())
	began := time.Now()
	_, err := client.Connect(t.Context(), p.Addr()+"/no/such")
	requireRefused(t, began, err, client.ErrNoNode, "chroot /no/such", "WithCreateChroot")
	require.Equal(t, 1, p.Accepted(), "once is enough to know")
	_, ok, err := other.Exists(t.Context(), "/no")
	require.NoError(t, err)
	require.False(t, ok, "nothing was made")

	cl := trial.Connect(t, p.Addr()+"/no/such", client.WithCreateChroot())
	held, err := lock.NewMutex(cl, "/lock").Lock(trial.Within(t, 20*time.Second))
	require.NoError(t, err)
	_, ok, err = other.Exists(t.Context(), "/no/such"+held.Path())
	require.NoError(t, err)
	require.True(t, ok)
	require.NoError(t, held.Unlock(t.Context()))
}

// TestNoZooKeeperThere: what listens is no ZooKeeper, or nothing does. As the next moment
// might bring a server, Connect goes on trying for as long as it may, but not often, and
// then says of each server what was wrong.
func TestNoZooKeeperThere(t *testing.T) {
	e := ensemble.Start(t, 1)
	plain := e.Servers()[0].Addr()
	web := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(web.Close)
	page := strings.TrimPrefix(web.URL, "http://")
	nobody := faultproxy.Start(t, plain)
	nobody.Refuse()
	cases := map[string]struct {
		addr string
		opts []client.Option
		says string
	}{
		"TLS to a plain port": {plain, []client.Option{client.WithTLS(&tls.Config{MinVersion: tls.VersionTLS12})}, "TLS"},
		"nobody listens":      {nobody.Addr(), nil, "connection refused"},
		// 2600 ms is 0x0a28: a request with the end of a line in it, which a web server answers.
		"web server that answers": {page, []client.Option{client.WithSessionTimeout(2600 * time.Millisecond)}, "not a ZooKeeper server"},
		"web server that waits":   {page, []client.Option{client.WithSessionTimeout(2 * time.Second)}, "timeout"},
	}
	const limit = 3 * time.Second
	var group sync.WaitGroup
	for name, c := range cases { // side by side, since each takes as long as it may
		group.Go(func() {
			var dials atomic.Int64
			count := client.WithDialer(func(ctx context.Context, network, address string) (net.Conn, error) {
				dials.Add(1)
				var d net.Dialer
				return d.DialContext(ctx, network, address)
			})
			began := time.Now()
			_, err := client.Connect(t.Context(), c.addr, append(c.opts, count, client.WithConnectTimeout(limit))...)
			t.Logf("%s: %d attempts: %v", name, dials.Load(), err)
			assert.ErrorIs(t, err, client.ErrNotConnected)
			assert.ErrorIs(t, err, context.DeadlineExceeded)
			assert.ErrorContains(t, err, c.addr+": ")
			assert.ErrorContains(t, err, c.says)
			assert.Less(t, time.Since(began), limit+atOnce, name)
			assert.LessOrEqual(t, dials.Load(), int64(25), "it pauses between attempts")
		})
	}
	group.Wait()
}
