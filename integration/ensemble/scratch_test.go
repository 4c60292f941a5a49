//go:build linux || darwin || freebsd

package ensemble

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSweepRemovesWhatHasNoOwner(t *testing.T) {
	parent := t.TempDir()
	t.Setenv("TMPDIR", parent)
	owned, err := newScratch()
	require.NoError(t, err)
	defer func() { _ = owned.close() }()

	orphan := filepath.Join(parent, scratchPrefix+"1-orphan")
	require.NoError(t, os.MkdirAll(filepath.Join(orphan, "server-1"), 0o700))
	foreign := filepath.Join(parent, "something-else")
	require.NoError(t, os.Mkdir(foreign, 0o700))

	sweep(parent, time.Now().Add(-time.Hour))
	require.DirExists(t, orphan, "too young to be swept")

	sweep(parent, time.Now().Add(time.Hour))
	require.NoDirExists(t, orphan)
	require.DirExists(t, owned.dir)
	require.DirExists(t, foreign)

	require.NoError(t, owned.close())
	require.NoDirExists(t, owned.dir)
}
