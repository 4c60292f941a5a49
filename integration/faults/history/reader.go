package history

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// maxLine bounds one line of a history.
const maxLine = 16 << 20

// ErrMalformed is returned for what is no history.
var ErrMalformed = errors.New("malformed history")

// Read reads the events that one process has written, in their order. What comes after the last newline is the line
// in whose midst the process was killed: it is left out. Anything else that is no event is an
// error that wraps [ErrMalformed] and names the line.
func Read(r io.Reader) ([]Event, error) {
	var events []Event
	in := bufio.NewReader(r)
	for n := 1; ; n++ {
		line, err := readLine(in)
		switch {
		case errors.Is(err, io.EOF):
			return events, nil
		case err != nil:
			return nil, fmt.Errorf("line %d: %w", n, err)
		case len(bytes.TrimSpace(line)) == 0:
			continue
		}
		var e Event
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", ErrMalformed, n, err)
		}
		if err := e.check(); err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", ErrMalformed, n, err)
		}
		events = append(events, e)
	}
}

// readLine reads a line with its newline; io.EOF is returned for one that has none.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxLine:
			return nil, fmt.Errorf("%w: longer than %d bytes", ErrMalformed, maxLine)
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		default:
			return line, err
		}
	}
}

// ReadFiles reads and merges the histories of several processes.
func ReadFiles(paths ...string) (*History, error) {
	var parts [][]Event
	for _, path := range paths {
		f, err := os.Open(path) //nolint:gosec // the caller's file
		if err != nil {
			return nil, fmt.Errorf("history: %w", err)
		}
		events, err := Read(f)
		_ = f.Close()
		if err != nil {
			return nil, fmt.Errorf("history %s: %w", path, err)
		}
		parts = append(parts, events)
	}
	return Merge(parts...), nil
}

// ReadFolder reads and merges the files of a folder whose names end in .jsonl.
func ReadFolder(folder string) (*History, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.jsonl"))
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	return ReadFiles(paths...)
}

// Merge puts the events of several processes in the order of their times. Those of one process that have
// the same time stay in their order.
func Merge(parts ...[]Event) *History {
	h := &History{}
	for _, events := range parts {
		h.Events = append(h.Events, events...)
	}
	slices.SortStableFunc(h.Events, func(a, b Event) int { return cmp.Compare(a.Time, b.Time) })
	return h
}

// Write writes the events as lines, as [Read] reads them.
func (h *History) Write(w io.Writer) error {
	out := bufio.NewWriter(w)
	enc := json.NewEncoder(out)
	for i := range h.Events {
		if err := enc.Encode(&h.Events[i]); err != nil {
			return fmt.Errorf("history: %w", err)
		}
	}
	return out.Flush()
}
