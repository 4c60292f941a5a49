// Package clock makes a Go whose wall clock a program can set for itself, by an overlay of one file of Go's
// standard library (go build -overlay): time.Now shows another time of day then, in all of the program, while its
// monotonic reading, timers and deadlines go on as they did. That is what a program sees when somebody sets
// its machine's clock, which no test may do, and which nothing that is preloaded can feign for Go: its programs
// ask the kernel's page of time without a library.
package clock

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// The places in time/time.go, and what is put there.
const (
	reading = "\tsec, nsec, mono := runtimeNow()\n\tif mono == 0 {\n"
	jumped  = "\tsec, nsec, mono := runtimeNow()\n\tsec, nsec = jumpedWall(sec, nsec)\n\tif mono == 0 {\n"

	addition = `
// What follows is not Go's: it was put here by github.com/zookit/zookit/integration/faults/clock.

var wallJump atomic.Int64

// JumpWall has Now show a time of day that is off by so much.
func JumpWall(by Duration) { wallJump.Store(int64(by)) }

func jumpedWall(sec int64, nsec int32) (int64, int32) {
	by := wallJump.Load()
	if by == 0 {
		return sec, nsec
	}
	sum := int64(nsec) + by%int64(Second)
	sec += by / int64(Second)
	for ; sum < 0; sum += int64(Second) {
		sec--
	}
	return sec + sum/int64(Second), int32(sum % int64(Second))
}
`
)

// ErrUnknownGo is returned for a Go whose time.Now looks otherwise than expected.
var ErrUnknownGo = errors.New("this Go's time.Now is not as expected")

// Overlay writes the changed file into a folder, and the file for go build's -overlay, whose path it returns.
func Overlay(goroot, folder string) (string, error) {
	original := filepath.Join(goroot, "src", "time", "time.go")
	text, err := os.ReadFile(original)
	if err != nil {
		return "", fmt.Errorf("clock: %w", err)
	}
	changed, err := change(string(text))
	if err != nil {
		return "", fmt.Errorf("clock: %s: %w", original, err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", fmt.Errorf("clock: %w", err)
	}
	file := filepath.Join(folder, "time.go")
	if file, err = filepath.Abs(file); err != nil {
		return "", fmt.Errorf("clock: %w", err)
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {original: file}})
	if err != nil {
		return "", fmt.Errorf("clock: %w", err)
	}
	list := filepath.Join(folder, "overlay.json")
	if err := errors.Join(os.WriteFile(file, []byte(changed), 0o644), os.WriteFile(list, overlay, 0o644)); err != nil {
		return "", fmt.Errorf("clock: %w", err)
	}
	return list, nil
}

func change(text string) (string, error) {
	const imports = "import (\n"
	for _, place := range []string{imports, reading} {
		if strings.Count(text, place) != 1 {
			return "", fmt.Errorf("%w: %q stands there %d times", ErrUnknownGo, place, strings.Count(text, place))
		}
	}
	text = strings.Replace(text, imports, imports+"\t\"sync/atomic\"\n", 1)
	text = strings.Replace(text, reading, jumped, 1)
	return text + addition, nil
}
