package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// errStaleToken is the cloud's answer to a writer whose lock somebody else has by now.
var errStaleToken = errors.New("the cloud has seen a newer token")

// cloud stands for what is deployed to: a file with the resources as they are. It
// does what every target of a locked update should do: it remembers the newest
// fencing token and refuses older ones.
type cloud struct{ path string }

// cloudState is the file's content.
type cloudState struct {
	Token     int64            `json:"token"`
	Resources map[string]int   `json:"resources"`
	Writes    []cloudWrite     `json:"writes"`
	Refused   map[string]int64 `json:"refused"`
}

// cloudWrite is one write that was accepted.
type cloudWrite struct {
	Token    int64  `json:"token"`
	Update   string `json:"update"`
	Resource string `json:"resource"`
	Revision int    `json:"revision"`
}

// put writes a resource, unless the token is older than one seen before.
func (c *cloud) put(w cloudWrite) error {
	return c.locked(func(s *cloudState) error {
		if w.Token < s.Token {
			s.Refused[w.Update] = w.Token
			return fmt.Errorf("%w: %d, newest %d", errStaleToken, w.Token, s.Token)
		}
		s.Token = w.Token
		s.Resources[w.Resource] = w.Revision
		s.Writes = append(s.Writes, w)
		return nil
	})
}

func (c *cloud) state() (cloudState, error) {
	var out cloudState
	err := c.locked(func(s *cloudState) error { out = *s; return nil })
	return out, err
}

// locked runs fn on the content while no other process has the file, and stores
// what fn leaves, also if fn refuses.
func (c *cloud) locked(fn func(*cloudState) error) error {
	guard, err := os.OpenFile(c.path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = guard.Close() }() // which unlocks
	if err := syscall.Flock(int(guard.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", c.path, err)
	}
	s := cloudState{Resources: map[string]int{}, Refused: map[string]int64{}}
	data, err := os.ReadFile(c.path)
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cloud %s: %w", c.path, err)
	}
	result := fn(&s)
	if data, err = json.Marshal(s); err != nil {
		return err
	}
	fresh := filepath.Join(filepath.Dir(c.path), "."+filepath.Base(c.path)+".new")
	if err := os.WriteFile(fresh, data, 0o600); err != nil {
		return err
	}
	return errors.Join(result, os.Rename(fresh, c.path))
}
