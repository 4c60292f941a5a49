package sim

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/zookit/zookit/integration/faults/models"
)

// Leave writes what is needed to understand a failure to a folder: the schedule, the history, the violations, and
// the pictures of those that have one.
func (r *Result) Leave(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // for whoever looks for the failure
		return fmt.Errorf("sim: %w", err)
	}
	files := map[string]func(io.Writer) error{
		"schedule.txt":   text(r.Setting.String()),
		"violations.txt": text(models.Lines(r.Violations)),
		"history.jsonl":  r.History.Write,
	}
	for i, v := range r.Violations {
		if v.Picture != nil {
			files[fmt.Sprintf("violation-%d.html", i+1)] = v.Picture
		}
	}
	for name, write := range files {
		if err := leave(filepath.Join(folder, name), write); err != nil {
			return err
		}
	}
	return nil
}

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

func leave(path string, write func(io.Writer) error) error {
	f, err := os.Create(path) //nolint:gosec // the caller's folder
	if err != nil {
		return fmt.Errorf("sim: %w", err)
	}
	if err := write(f); err != nil {
		_ = f.Close()
		return fmt.Errorf("sim: %s: %w", path, err)
	}
	return f.Close()
}
