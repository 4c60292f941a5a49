package scenario

import (
	"os"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(childRole); role != "" {
		os.Exit(runChild(role))
	}
	os.Exit(m.Run())
}

// others are the addresses of connect without one.
func others(connect, without string) string {
	var out []string
	for a := range strings.SplitSeq(connect, ",") {
		if a != without {
			out = append(out, a)
		}
	}
	return strings.Join(out, ",")
}
