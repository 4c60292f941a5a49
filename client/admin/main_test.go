package admin

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sample reads an answer from testdata. Those of 3.8 were taken from real servers (Debian's
// 3.8.0), with other folders in conf; the others are written after their versions' formats.
func sample(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", filepath.FromSlash(name)))
	require.NoError(t, err)
	return string(text)
}

// samples are the answers to a word, by file name.
func samples(t testing.TB, pattern string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "[0-9]*", pattern))
	require.NoError(t, err)
	require.NotEmpty(t, files, pattern)
	out := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		out[filepath.ToSlash(file)] = string(text)
	}
	return out
}

// serve runs a server that reads four letters from each connection and lets talk do the
// rest; the connection is closed when talk returns.
func serve(t *testing.T, listener net.Listener, talk func(conn net.Conn, word string)) string {
	t.Helper()
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer func() { _ = conn.Close() }()
				var word [4]byte
				if _, err := io.ReadFull(conn, word[:]); err == nil {
					talk(conn, string(word[:]))
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		wg.Wait()
	})
	return listener.Addr().String()
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return listener
}

// canned is a server that has one answer to every word.
func canned(t *testing.T, answer string, opts ...Option) *Server {
	t.Helper()
	addr := serve(t, listen(t), func(conn net.Conn, _ string) { _, _ = io.WriteString(conn, answer) })
	return newServer(t, addr, opts...)
}

func newServer(t *testing.T, addr string, opts ...Option) *Server {
	t.Helper()
	s, err := NewServer(addr, opts...)
	require.NoError(t, err)
	return s
}
