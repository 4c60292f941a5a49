//go:build linux || darwin || freebsd

package ensemble

import (
	"errors"
	"os"
	"syscall"
)

// tryLock opens a file and locks it, without waiting, until it is closed or the
// process ends.
func tryLock(path string) (lock *os.File, free bool, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, false, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, true, nil
	}
	_ = f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, false, nil
	}
	return nil, false, err
}
