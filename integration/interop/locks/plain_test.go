package locks

import (
	"errors"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/require"
)

// quiet is go-zookeeper's logger.
type quiet struct{}

func (quiet) Printf(string, ...any) {}

// connectPlain opens a session of go-zookeeper, which is closed with the test. Its
// requests wait for the connection.
func connectPlain(t *testing.T, addr string, sessions time.Duration) *zk.Conn {
	t.Helper()
	conn, _, err := zk.Connect([]string{addr}, sessions, zk.WithLogger(quiet{}), zk.WithLogInfo(false))
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	return conn
}

// stamp writes to the ledger, and returns the version that it got by that.
func stamp(conn *zk.Conn, ledger string) (int, error) {
	stat, err := conn.Set(ledger, nil, -1)
	if err != nil {
		return 0, err
	}
	return int(stat.Version), nil
}

// makeDirectory makes a node, and its parents.
func makeDirectory(t *testing.T, conn *zk.Conn, path string) {
	t.Helper()
	for i := 1; i <= len(path); i++ {
		if i < len(path) && path[i] != '/' {
			continue
		}
		if _, err := conn.Create(path[:i], nil, 0, zk.WorldACL(zk.PermAll)); !errors.Is(err, zk.ErrNodeExists) {
			require.NoError(t, err)
		}
	}
}
