package testmain

import (
	"bytes"
	"regexp"
	"runtime"
	"strings"
)

// inBubble finds, in the first line of a goroutine's stack, the bubble of testing/synctest that
// it belongs to.
var inBubble = regexp.MustCompile(`^goroutine [^\n]*(synctest bubble \d+)[\],]`)

// Stacks returns the stacks of all goroutines in the caller's bubble of testing/synctest, its own
// first; outside of a bubble those of all goroutines, so that there a test that looks for goroutines that
// are left cannot run beside others.
func Stacks() []string {
	buf := make([]byte, 1<<18)
	n := runtime.Stack(buf, true)
	for n == len(buf) {
		buf = make([]byte, 2*len(buf))
		n = runtime.Stack(buf, true)
	}
	all := strings.Split(string(bytes.TrimSpace(buf[:n])), "\n\n")
	own := inBubble.FindStringSubmatch(all[0])
	if own == nil {
		return all
	}
	var out []string
	for _, s := range all {
		if m := inBubble.FindStringSubmatch(s); m != nil && m[1] == own[1] {
			out = append(out, s)
		}
	}
	return out
}
