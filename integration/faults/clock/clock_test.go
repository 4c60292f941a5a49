package clock

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestUnknownGo(t *testing.T) {
	_, err := change("package time\n")
	require.ErrorIs(t, err, ErrUnknownGo)
	_, err = Overlay(t.TempDir(), t.TempDir())
	require.ErrorIs(t, err, os.ErrNotExist)
}

// The Go that runs the tests can be changed, and what is built with it has a clock that jumps.
func TestOverlay(t *testing.T) {
	folder := t.TempDir()
	overlay, err := Overlay(runtime.GOROOT(), folder) //nolint:staticcheck // the tests run where they are built
	require.NoError(t, err)
	program := filepath.Join(folder, "main.go")
	require.NoError(t, os.WriteFile(program, []byte(jumper), 0o600))
	out, err := exec.CommandContext(t.Context(), "go", "run", "-overlay", overlay, program).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

const jumper = `package main

import "time"

func main() {
	for _, by := range []time.Duration{time.Hour, -time.Hour, -1, 1, time.Second - 1, -1500 * time.Millisecond, 50 * 365 * 24 * time.Hour, 0} {
		time.JumpWall(0)
		before := time.Now()
		time.JumpWall(by)
		after := time.Now()
		passed := after.Sub(before) // monotonic
		if passed < 0 || passed > time.Minute {
			panic(passed)
		}
		if wall := after.Round(0).Sub(before.Round(0)); wall != by+passed {
			// Both readings are of one moment, but not of one call of the kernel.
			if d := wall - by - passed; d < -time.Second || d > time.Second {
				panic(d)
			}
		}
		if n := after.Nanosecond(); n < 0 || n >= 1e9 {
			panic(n)
		}
	}
}
`
