package guarded

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/cmd/zookit/internal/app"
	"github.com/zookit/zookit/cmd/zookit/internal/child"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == child.GuardCommand {
		os.Exit(child.GuardMain(os.Args[2:]))
	}
	os.Exit(m.Run())
}

// A signal that came before there was a command keeps it from being started.
func TestNotStarted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	env := app.New(nil, os.Stdout, os.Stderr, os.Getenv)
	var g Guard
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, g.Run(ctx, env, nil, Steady(), Command{Path: "/p", Args: []string{"touch", file}}), context.Canceled)
	require.NoFileExists(t, file)
	require.NoError(t, g.Run(t.Context(), env, nil, Steady(), Command{Path: "/p", Args: []string{"touch", file}}))
	require.FileExists(t, file)
}
