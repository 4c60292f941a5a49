package shell

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// most is how many lines of the history are kept.
const most = 1000

// history is what was typed, the oldest line first, in memory and in a file that only its owner may read. Several shells
// append to one file; each sees what was there when it began, and its own.
type history struct {
	path  string // empty: there is no file
	lines []string
}

// historyPath is where the history is kept.
func historyPath(getenv func(string) string) string {
	state := getenv("XDG_STATE_HOME")
	if state == "" {
		home := getenv("HOME")
		if home == "" {
			return ""
		}
		state = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(state, "zookit", "history")
}

// openHistory reads the history; a file that has grown to twice what is kept is cut.
func openHistory(path string) (*history, error) {
	h := &history{path: path}
	if path == "" {
		return h, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return h, err
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return h, nil
	}
	if err != nil {
		return h, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, longest)
	for lines.Scan() {
		h.lines = append(h.lines, lines.Text())
	}
	if err := lines.Err(); err != nil {
		return h, err
	}
	if len(h.lines) < 2*most {
		h.lines = h.lines[max(len(h.lines)-most, 0):]
		return h, nil
	}
	h.lines = h.lines[len(h.lines)-most:]
	return h, h.cut()
}

// cut writes the file anew; whoever reads it meanwhile sees the old or the new one.
func (h *history) cut() error {
	f, err := os.CreateTemp(filepath.Dir(h.path), "history-*") // with mode 0600
	if err != nil {
		return err
	}
	_, err = f.WriteString(strings.Join(h.lines, "\n") + "\n")
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), h.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// secretive are the words by which a line is known that may have a credential in it.
var secretive = []string{"auth", "digest", "sasl", "password"}

// Add keeps a line: not one that is empty, begins with a space, is the same as the one before, or may have a credential in it. That a
// line could not be written is no reason to stop work; it is there in memory.
func (h *history) Add(line string) {
	lower := strings.ToLower(line)
	switch {
	case strings.TrimSpace(line) == "", line[0] == ' ':
		return
	case len(h.lines) > 0 && h.lines[len(h.lines)-1] == line:
		return
	case slices.ContainsFunc(secretive, func(s string) bool { return strings.Contains(lower, s) }):
		return
	}
	h.lines = append(h.lines, line)
	if h.path == "" {
		return
	}
	if f, err := os.OpenFile(h.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600); err == nil {
		_, _ = f.WriteString(line + "\n")
		_ = f.Close()
	}
}

// Len implements [term.History].
func (h *history) Len() int { return len(h.lines) }

// At implements [term.History]: 0 is the newest line.
func (h *history) At(i int) string { return h.lines[len(h.lines)-1-i] }
