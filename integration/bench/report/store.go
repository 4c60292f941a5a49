package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/zookit/zookit/integration/bench/run"
)

// ReadResults reads what WriteResults has kept; a file that does not exist has none.
func ReadResults(file string) ([]run.Result, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []run.Result
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("results in %s: %w", file, err)
	}
	return all, nil
}

// WriteResults keeps results in a file.
func WriteResults(file string, all []run.Result) error {
	text, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

// Merge puts the results of a new run in the place of older ones. A group is replaced as a whole, since ratios are of one run.
func Merge(old, fresh []run.Result) []run.Result {
	again := map[string]bool{}
	for _, r := range fresh {
		again[r.Group] = true
	}
	var all []run.Result
	for _, r := range old {
		if !again[r.Group] {
			all = append(all, r)
		}
	}
	return append(all, fresh...)
}
