package ensemble

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

const (
	scratchPrefix = "zookit-ensemble-"

	// scratchGrace keeps a sweep away from a folder that is only just being made.
	scratchGrace = time.Minute
)

// scratch is the folder of one ensemble. Its lock file is held by this process,
// so a folder whose lock can be had has outlived its owner.
type scratch struct {
	dir  string
	lock *os.File
}

// newScratch makes a folder, and removes those of processes that were killed.
func newScratch() (*scratch, error) {
	sweep(os.TempDir(), time.Now().Add(-scratchGrace))
	dir, err := os.MkdirTemp("", fmt.Sprintf("%s%d-", scratchPrefix, os.Getpid()))
	if err != nil {
		return nil, fmt.Errorf("folder of an ensemble: %w", err)
	}
	lock, _, err := tryLock(lockFile(dir))
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, fmt.Errorf("folder of an ensemble: %w", err)
	}
	return &scratch{dir: dir, lock: lock}, nil
}

func (s *scratch) close() error {
	err := os.RemoveAll(s.dir)
	if s.lock != nil {
		_ = s.lock.Close()
	}
	if err != nil {
		return fmt.Errorf("folder of an ensemble: %w", err)
	}
	return nil
}

func lockFile(dir string) string { return filepath.Join(dir, "lock") }

// sweep removes folders of ended processes in parent that are older than before.
// It does what it can: what it cannot remove is none of this ensemble's business.
func sweep(parent string, before time.Time) {
	dirs, err := filepath.Glob(filepath.Join(parent, scratchPrefix+"*"))
	if err != nil {
		return
	}
	for _, dir := range dirs {
		info, err := os.Lstat(dir)
		if err != nil || !info.IsDir() || info.ModTime().After(before) {
			continue
		}
		if lock, free, err := tryLock(lockFile(dir)); err == nil && free {
			_ = os.RemoveAll(dir)
			if lock != nil {
				_ = lock.Close()
			}
		}
	}
}
