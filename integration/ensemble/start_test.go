package ensemble

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// failing is a test that has failed and ends when end is called.
type failing struct {
	testing.TB
	dir      string
	cleanups []func()
	logged   strings.Builder
}

func (f *failing) Failed() bool        { return true }
func (f *failing) ArtifactDir() string { return f.dir }
func (f *failing) Cleanup(do func())   { f.cleanups = append(f.cleanups, do) }

func (f *failing) Logf(format string, args ...any) {
	fmt.Fprintf(&f.logged, format+"\n", args...)
}

func (f *failing) end() {
	for _, do := range f.cleanups {
		do()
	}
}

func TestFailedTestKeepsTheLogs(t *testing.T) {
	f := &failing{TB: t, dir: t.TempDir()}
	e := Start(f, 1, tested())
	f.end()
	require.ErrorIs(t, e.Servers()[0].Kill(bounded(t)), ErrClosed)

	log, err := os.ReadFile(filepath.Join(f.dir, "server-1.log"))
	require.NoError(t, err)
	require.Contains(t, string(log), "ZooKeeper")
	require.Contains(t, f.logged.String(), lastLines(string(log), 3))
	require.Contains(t, f.logged.String(), "ensemble: "+e.Provider()+", ZooKeeper ")
}
