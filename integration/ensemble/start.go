package ensemble

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// failureLines is how much of each server's log a failed test shows.
const failureLines = 25

// Start starts an ensemble of so many servers for a test, and returns when it is
// whole. It ends with the test. If the test has failed by then, the whole logs of
// the servers go to t.ArtifactDir (kept with go test -artifacts) and their ends
// into the test's log.
func Start(t testing.TB, servers int, opts ...Option) *Ensemble {
	t.Helper()
	e, err := Open(t.Context(), servers, opts...)
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			e.showLogs(t)
		}
		if err := e.Close(); err != nil {
			t.Errorf("%v", err)
		}
	})
	version, err := e.Version(t.Context())
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Logf("ensemble: %s, ZooKeeper %s, %s", e.Provider(), version, e.Connect())
	return e
}

// showLogs keeps the servers' logs where the reader of a failed test looks.
func (e *Ensemble) showLogs(t testing.TB) {
	t.Helper()
	dir := t.ArtifactDir()
	for _, s := range e.servers {
		text := s.Logs()
		path := filepath.Join(dir, fmt.Sprintf("server-%d.log", s.id))
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Logf("log of %v not kept: %v", s, err)
			path = "not kept"
		}
		t.Logf("end of the log of %v (all of it: %s):\n%s", s, path, lastLines(text, failureLines))
	}
}
