package client_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/client"
	"github.com/zookit/zookit/zktest"
)

// logBook is a logger whose records can be read as they come.
type logBook struct {
	*slog.Logger
	records chan map[string]any

	mu     sync.Mutex
	closed bool
	text   strings.Builder
}

func newLog() *logBook {
	b := &logBook{records: make(chan map[string]any, 1<<12)}
	b.Logger = slog.New(b)
	return b
}

// close ends records.
func (b *logBook) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	close(b.records)
}

// Enabled implements slog.Handler.
func (b *logBook) Enabled(context.Context, slog.Level) bool { return true }

// WithAttrs implements slog.Handler.
func (b *logBook) WithAttrs([]slog.Attr) slog.Handler { return b }

// WithGroup implements slog.Handler.
func (b *logBook) WithGroup(string) slog.Handler { return b }

// Handle implements slog.Handler.
func (b *logBook) Handle(_ context.Context, r slog.Record) error {
	out := map[string]any{"msg": r.Message, "level": r.Level}
	r.Attrs(func(a slog.Attr) bool {
		out[a.Key] = a.Value.Any()
		return true
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	fmt.Fprintln(&b.text, out)
	if !b.closed {
		b.records <- out
	}
	return nil
}

// keys are those that WithLogger promises.
var keys = []string{"session", "epoch", "state", "server", "path", "op", "attempt", "err"}

// What is logged has the keys that are promised, and a client to which nothing
// happens logs its states and nothing else above Debug.
func TestLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, inMemory)
		log := newLog()
		cl := connect(t, srv, client.WithLogger(log.Logger), client.WithAuth("digest", "user:s3cret"))
		require.Same(t, log.Logger, cl.Logger())
		st := follow(t, cl)
		srv.DropRequest(zktest.On("/a", zktest.OpGetData))
		_, _ = cl.Create(t.Context(), "/a", nil)
		_, _, err := cl.Get(t.Context(), "/a")
		require.NoError(t, err)
		fault := srv.FailNext(zktest.On("", zktest.OpAuth), zktest.AuthFailed)
		srv.DropConnections()
		st.until(client.Closed)
		wait(t, fault.Fired(), "the credential was refused")
		require.NoError(t, cl.Close())
		log.close()

		met := map[string]bool{}
		var states []string
		for r := range log.records {
			for key := range r {
				met[key] = true
			}
			state, ok := r["state"].(string)
			if ok {
				states = append(states, state)
			}
			require.Equal(t, ok, r["level"] != slog.LevelDebug, "%v", r)
		}
		want := append([]string{"msg", "level"}, keys...)
		require.ElementsMatch(t, want, slices.Collect(maps.Keys(met)))
		require.Equal(t, []string{"connected", "suspended", "connected", "suspended", "closed"}, states)
	})
}

// eavesdrop is a dialer that notes the passwords that servers give to sessions.
type eavesdrop struct {
	srv       *zktest.Server
	mu        sync.Mutex
	passwords [][]byte
}

type tapped struct {
	net.Conn
	e    *eavesdrop
	came []byte
}

func (e *eavesdrop) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := e.srv.Dial(ctx, network, addr)
	return &tapped{Conn: conn, e: e}, err
}

// Read implements net.Conn.
func (c *tapped) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	const before, length = 4 + 4 + 4 + 8 + 4, 16 // frame, protocol, timeout, session, length
	if len(c.came) < before+length {
		if c.came = append(c.came, p[:n]...); len(c.came) >= before+length {
			c.e.mu.Lock()
			c.e.passwords = append(c.e.passwords, c.came[before:before+length])
			c.e.mu.Unlock()
		}
	}
	return n, err
}

// Whatever happens, no log and no error has a credential, the password of a session or a node's data in it.
func TestNoSecretIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := zktest.Start(t, inMemory)
		log, e := newLog(), &eavesdrop{srv: srv}
		cl := connect(t, srv, client.WithLogger(log.Logger), client.WithDialer(e.dial), client.WithMaxRequest(2000),
			client.WithAuth("digest", "user:s3cret"), client.WithAuth("digest", "other:h1dden"))
		st, s := follow(t, cl), session(t, cl)
		ctx := t.Context()
		errs := []error{}
		note := func(err error) {
			if err != nil {
				errs = append(errs, err)
			}
		}
		secret := []byte("t0p data")
		_, err := cl.Create(ctx, "/a", secret, client.WithMode(client.Ephemeral))
		require.NoError(t, err)
		_, err = cl.Create(ctx, "/a", secret)
		note(err)
		_, err = cl.Set(ctx, "/a", secret, 7)
		note(err)
		_, err = cl.Set(ctx, "/a", bytes.Repeat(secret, 1000), client.AnyVersion)
		note(err)
		_, err = cl.Txn().Set("/a", secret, 7).Create("/b", secret).Commit(ctx)
		note(err)
		srv.SwallowReply(zktest.On("/a", zktest.OpSetData))
		_, err = cl.Set(ctx, "/a", secret, client.AnyVersion)
		note(err)
		srv.DropRequest(zktest.On("/a", zktest.OpGetData))
		_, _, err = cl.Get(ctx, "/a")
		require.NoError(t, err)
		require.True(t, srv.ExpireSession(s.ID()))
		note(st.until(client.Lost).Err)
		st.until(client.Connected)
		note(s.Delete(ctx, "/a", client.AnyVersion))
		srv.FailNext(zktest.On("", zktest.OpAuth), zktest.AuthFailed)
		srv.DropConnections()
		note(st.until(client.Closed).Err)
		note(cl.Close())
		require.GreaterOrEqual(t, len(errs), 7)
		_, err = client.Connect(ctx, srv.Addr(), client.WithDialer(srv.Dial), client.WithLogger(log.Logger), client.WithSASLDigest("user", "n0body"), client.WithConnectTimeout(100*time.Millisecond))
		require.Error(t, err)
		note(err)

		text := log.text.String() + fmt.Sprint(errs)
		require.GreaterOrEqual(t, len(e.passwords), 2)
		words := []string{"s3cret", "h1dden", "n0body", "t0p", fmt.Sprint(secret)}
		for _, p := range e.passwords {
			words = append(words, string(p), hex.EncodeToString(p), fmt.Sprint(p), base64.StdEncoding.EncodeToString(p))
		}
		for _, word := range words {
			require.NotContains(t, text, word)
		}
	})
}

// skip leaves out what was found.
func skip(d fs.DirEntry) error {
	if d != nil && d.IsDir() {
		return fs.SkipDir
	}
	return nil
}

// Whoever logs in the client or in the recipes uses the keys that are promised.
func TestLogKeys(t *testing.T) {
	count := 0
	require.NoError(t, filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		// Neither of these is ours to read: others write in .git and in out meanwhile.
		if slices.Contains([]string{"../zktest", "../integration", "../examples", "../out"}, filepath.ToSlash(path)) ||
			strings.HasPrefix(filepath.Base(path), ".") && path != ".." {
			return skip(d)
		}
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			fun, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || !slices.Contains([]string{"Debug", "Info", "Warn", "Error"}, fun.Sel.Name) || len(call.Args) == 0 {
				return true
			}
			count++
			for i := 1; i < len(call.Args); i += 2 {
				key, ok := call.Args[i].(*ast.BasicLit)
				require.True(t, ok, "%s: a key that is no constant", path)
				require.Contains(t, keys, strings.Trim(key.Value, `"`), path)
			}
			return true
		})
		return nil
	}))
	require.GreaterOrEqual(t, count, 6)
}
