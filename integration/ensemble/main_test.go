package ensemble

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if orphanMode() {
		return
	}
	goleak.VerifyTestMain(m)
}

// tested is the provider that these tests run on.
func tested() Option {
	return WithProvider(cmp.Or(os.Getenv(providerVariable), jvm{}.name()))
}

// bounded is the test's context with an end that is far beyond what is expected.
func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

type silent struct{}

func (silent) Printf(string, ...any) {}

// connect opens a session of go-zookeeper with any of the servers.
func connect(t *testing.T, timeout time.Duration, servers string) *zk.Conn {
	t.Helper()
	ready := make(chan struct{})
	var once sync.Once
	conn, _, err := zk.Connect(strings.Split(servers, ","), timeout, zk.WithLogger(silent{}), zk.WithEventCallback(func(ev zk.Event) {
		if ev.State == zk.StateHasSession {
			once.Do(func() { close(ready) })
		}
	}))
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	select {
	case <-ready:
	case <-bounded(t).Done():
		t.Fatalf("no session with %s", servers)
	}
	return conn
}

// create makes a node with some data.
func create(t *testing.T, conn *zk.Conn, path string, flags int32) {
	t.Helper()
	_, err := conn.Create(path, []byte("data of "+path), flags, zk.WorldACL(zk.PermAll))
	require.NoError(t, err)
}

// dial opens a connection that ends with the test.
func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	var dialer net.Dialer
	conn, err := dialer.DialContext(bounded(t), "tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// answering is a server in this process that knows nothing but four letter
// commands. A command without an answer is left hanging.
func answering(t *testing.T, answers map[string]string) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var group sync.WaitGroup
	t.Cleanup(func() {
		_ = l.Close()
		group.Wait()
	})
	group.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			group.Go(func() {
				defer func() { _ = conn.Close() }()
				word := make([]byte, 4)
				if _, err := io.ReadFull(conn, word); err != nil {
					return
				}
				if answer, ok := answers[string(word)]; ok {
					_, _ = io.WriteString(conn, answer)
					return
				}
				_, _ = conn.Read(word) // until the other side gives up
			})
		}
	})
	return l.Addr().String()
}

const standaloneAnswer = "Zookeeper version: 3.8.0-${mvngit.commit.id}, built on 2022-02-25\n" +
	"Latency min/avg/max: 0/0.0/0\nReceived: 1\nZxid: 0x0\nMode: standalone\nNode count: 5\n"

func roleAnswer(mode string) string {
	return fmt.Sprintf("Zookeeper version: 3.9.3-c26634f34490bb0ea7a09cc51e05ede3b4e320ee, built on x\nMode: %s\n", mode)
}
